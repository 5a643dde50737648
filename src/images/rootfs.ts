import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { isGone, readFileIfExists, removeIfEmpty, writeFileAtomically } from "../host/files.ts";
import { removeMappedMounts, withMappedIDs } from "../host/idmapped-mounts.ts";
import { idMappedDir, type Layout, reachableDir, rootfsRunDir, rootfsStateDir } from "../host/layout.ts";
import { isMounted, mount, unmountBelow } from "../host/mounts.ts";
import { makeReachableFolder, removeReachableFolder } from "../host/reachable-folder.ts";
import { systemCallErrno } from "../host/system-calls.ts";
import type { UserNamespace } from "../host/user-namespace.ts";

/** What a root file system consists of; kept beside its upper folder, so that it can be mounted again. */
export interface RootfsLayers {
  readonly imageID: string;
  /** Read-only folders under the container's own one, topmost first. */
  readonly lower: readonly string[];
  /** Read-only overlays mounted inside, by their path in the container, each with its folders topmost first. */
  readonly inside: Readonly<Record<string, readonly string[]>>;
  /** Whose users own the files; absent: this machine's. */
  readonly userNamespace?: UserNamespace;
}

/** Name of the root file system in a folder that processes of a user namespace can pass. */
const reachableRoot = "rootfs";

/** mount(2) takes at most a page of options, with its terminating zero. */
const maximumOptionsLength = 4095;

/**
 * Root file systems of containers: an overlay of an image's layers with a writable folder of the container's
 * own. `volatile` is right for it: after a crash of the machine a container starts anew on an empty folder.
 */
export class RootfsMounts {
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Mounts the root file system and returns its path; the same mount when it is there already. */
  async mount(containerID: string, layers: RootfsLayers, scope: Scope): Promise<string> {
    const folder = this.#folder(containerID);
    const { userNamespace } = layers;
    const target = this.#target(containerID, userNamespace);
    const isNew = mkdirSync(join(folder, "upper"), { recursive: true, mode: 0o700 }) !== undefined;
    if (!isNew && isMounted(target)) return target;
    // Recorded before anything is waited for: from here on nobody may delete the layers.
    writeFileAtomically(this.#record(containerID), JSON.stringify(layers));
    await unmountBelow(target, scope);
    // A volatile overlay that ended without unmounting leaves a mark in its work folder and refuses to be mounted.
    if (!isNew) await rm(join(folder, "work"), { recursive: true, force: true });
    mkdirSync(join(folder, "work"), { recursive: true, mode: 0o700 });
    if (userNamespace !== undefined) makeReachableFolder(this.#layout, containerID, userNamespace.hostID);
    mkdirSync(target, { recursive: true, mode: 0o700 });
    const upper = join(folder, "upper");
    if (layers.lower[0] !== undefined) copyAttributes(layers.lower[0], upper, userNamespace?.hostID ?? 0);
    const overlays = [
      { lower: layers.lower, writable: { upper, work: join(folder, "work") }, path: target },
      ...Object.entries(layers.inside).map(([path, lower]) => ({
        lower,
        writable: undefined,
        path: join(target, path),
      })),
    ];
    for (const { lower, writable, path } of overlays) {
      const mountIt = (paths: readonly string[]) => mountOverlay(paths, writable, path, scope);
      if (userNamespace === undefined) await mountIt(lower);
      else await this.#withMappedLayers(containerID, userNamespace, lower, mountIt, scope);
    }
    return target;
  }

  /** An overlay cannot have its own IDs mapped, but shows its layers' files with theirs: overlayfs keeps the mounts. */
  async #withMappedLayers(
    containerID: string,
    { path }: UserNamespace,
    lower: readonly string[],
    mountIt: (paths: readonly string[]) => Promise<void>,
    scope: Scope,
  ): Promise<void> {
    try {
      await withMappedIDs(idMappedDir(this.#layout, containerID), path, lower, mountIt, scope);
    } catch (error) {
      if (error instanceof PeapodError && error.code === "CreateContainerError") throw error;
      throw new PeapodError("CreateContainerError", "root file system", { cause: error });
    }
  }

  /** Where the container's own writes lie. */
  writableFolder(containerID: string): string {
    return join(this.#folder(containerID), "upper");
  }

  /** Unmounts and deletes; done when there is none. */
  async remove(containerID: string, scope: Scope): Promise<void> {
    await removeMappedMounts(idMappedDir(this.#layout, containerID), scope);
    const reachable = join(reachableDir(this.#layout), containerID);
    const isReachable = existsSync(reachable);
    const target = isReachable ? reachable : this.#target(containerID, undefined);
    await unmountBelow(target, scope);
    // Never recursively: if it were still mounted, that would delete what is in the container.
    if (isReachable) removeReachableFolder(this.#layout, containerID, [reachableRoot]);
    removeIfEmpty(target);
    removeIfEmpty(rootfsRunDir(this.#layout));
    await rm(this.#folder(containerID), { recursive: true, force: true });
    removeIfEmpty(rootfsStateDir(this.#layout));
  }

  /** Containers that have a root file system, mounted or not. */
  list(): readonly string[] {
    try {
      return readdirSync(rootfsStateDir(this.#layout));
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  }

  /** What a container's root file system consists of; undefined when it has none. */
  read(containerID: string): RootfsLayers | undefined {
    const text = readFileIfExists(this.#record(containerID));
    return text === undefined ? undefined : (JSON.parse(text) as RootfsLayers);
  }

  #folder(containerID: string): string {
    return join(rootfsStateDir(this.#layout), containerID);
  }

  #record(containerID: string): string {
    return join(this.#folder(containerID), "layers.json");
  }

  #target(containerID: string, userNamespace: UserNamespace | undefined): string {
    if (userNamespace !== undefined) return join(reachableDir(this.#layout), containerID, reachableRoot);
    return join(rootfsRunDir(this.#layout), containerID);
  }
}

async function mountOverlay(
  lower: readonly string[],
  writable: { upper: string; work: string } | undefined,
  target: string,
  scope: Scope,
): Promise<void> {
  const rest =
    writable === undefined
      ? ["ro"]
      : [`upperdir=${escapePath(writable.upper)}`, `workdir=${escapePath(writable.work)}`];
  const length = [lowerOption(lower), ...rest].join(",").length + ",volatile".length;
  // Many layers: name each by an open file descriptor, the shortest path that a folder can have.
  const descriptors = length > maximumOptionsLength ? lower.map((folder) => openSync(folder, "r")) : [];
  try {
    const paths = descriptors.length > 0 ? descriptors.map((fd) => `/proc/${process.pid}/fd/${fd}`) : lower;
    const request = { type: "overlay", source: "overlay", target, options: [lowerOption(paths), ...rest] };
    if (writable === undefined) await mount(request, scope);
    else await mountVolatile(request, scope);
  } catch (error) {
    throw new PeapodError("CreateContainerError", "root file system", { cause: error });
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

/** `volatile` came with Linux 5.10; an older kernel refuses it as it would any unknown option. */
async function mountVolatile(request: Parameters<typeof mount>[0], scope: Scope): Promise<void> {
  try {
    await mount({ ...request, options: [...request.options, "volatile"] }, scope);
  } catch (error) {
    const errno = systemCallErrno(error);
    if (errno !== undefined && errno !== "EINVAL") throw error;
    await mount(request, scope);
  }
}

function lowerOption(folders: readonly string[]): string {
  return `lowerdir=${folders.map(escapePath).join(":")}`;
}

/** overlayfs splits at colons and mount options at commas. */
function escapePath(path: string): string {
  return path.replace(/[\\:,]/g, "\\$&");
}

/**
 * The container sees its upper folder's mode and owner as those of `/`: they are to be the image's. A layer that
 * says nothing about `/` is unpacked with 0555, where Kubernetes' runtimes have 0755. `firstID` is this machine's
 * name for the container's user 0.
 */
function copyAttributes(from: string, to: string, firstID: number): void {
  const { mode, uid, gid } = statSync(from);
  chmodSync(to, (mode & 0o777) === 0o555 ? 0o755 : mode & 0o7777);
  chownSync(to, firstID + uid, firstID + gid);
}
