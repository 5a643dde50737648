import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, type Stats, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import { type Scope, uncancelled, untilAborted } from "../base/scope.ts";
import { readFolderIfExists } from "../host/files.ts";
import type { Layout } from "../host/layout.ts";
import { hostImageName } from "../kube/peapod-names.ts";
import { buildHostLayers } from "./host-image-layers.ts";
import { shownFolders } from "./host-image-rules.ts";
import type { RootfsLayers } from "./rootfs.ts";
import type { Image } from "./types.ts";

/** The image of {@link hostImageName} as callers see it. */
export const hostImage: Image = {
  id: "host",
  names: [hostImageName],
  digests: [],
  size: 0,
  config: {
    entrypoint: [],
    cmd: ["/bin/sh"],
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    workingDir: "",
    user: "",
    stopSignal: undefined,
    exposedPorts: [],
    volumes: [],
  },
};

/** For how long a look at /etc and the installed packages is taken for true. */
const freshMilliseconds = 30_000;

/**
 * The layers of the host image: built on first use, kept on disk, built anew when /etc or what is installed
 * has changed. Containers that run keep the layers with which they started.
 */
export class HostImage {
  readonly #layout: Layout;
  readonly #folder: string;
  /** One at a time and to its end, whoever still waits for it: two in one folder would delete each other's files. */
  #building: Promise<string> | undefined;
  #current: { key: string; checkedAt: number } | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#folder = join(layout.stateDir, "images", "host");
  }

  /** The layers as of now, for a container that starts. `inUse` are those of containers that exist. */
  async layers(inUse: () => Iterable<RootfsLayers>, scope: Scope): Promise<RootfsLayers> {
    scope.signal.throwIfAborted();
    if (this.#current === undefined || scope.clock.now() - this.#current.checkedAt > freshMilliseconds) {
      let key = fingerprint();
      if (statSync(join(this.#folder, key), { throwIfNoEntry: false }) === undefined) {
        this.#building ??= this.#build(key, inUse, uncancelled(scope)).finally(() => {
          this.#building = undefined;
        });
        // A caller who gives up does not hear of its failure.
        this.#building.catch(() => {});
        key = await untilAborted(this.#building, scope.signal);
      }
      this.#current = { key, checkedAt: scope.clock.now() };
    }
    const folder = join(this.#folder, this.#current.key);
    const inside = readdirSync(join(folder, "masks"));
    return {
      imageID: hostImage.id,
      lower: [join(folder, "base")],
      inside: Object.fromEntries(inside.map((name) => [name, [join(folder, "masks", name), `/${name}`]])),
    };
  }

  async #build(key: string, inUse: () => Iterable<RootfsLayers>, scope: Scope): Promise<string> {
    const temporary = join(this.#folder, `${key}.tmp`);
    try {
      await this.#removeUnused(inUse);
      mkdirSync(temporary, { recursive: true, mode: 0o700 });
      await buildHostLayers(temporary, [this.#layout.stateDir, this.#layout.runDir], scope);
      await rename(temporary, join(this.#folder, key));
      scope.log.info({ folder: join(this.#folder, key) }, "host image built");
      return key;
    } catch (error) {
      throw new PeapodError("CreateContainerError", `image ${hostImageName}`, { cause: error });
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  /** Deletes layers of an earlier state of this machine that no container stands on. */
  async #removeUnused(inUse: () => Iterable<RootfsLayers>): Promise<void> {
    for (const key of readFolderIfExists(this.#folder)) {
      const base = join(this.#folder, key, "base");
      const isUsed = [...inUse()].some(({ lower }) => lower.includes(base));
      if (!isUsed) await rm(join(this.#folder, key), { recursive: true, force: true });
    }
  }
}

/** Changes whenever the layers would come out different: something in /etc, or what packages installed. */
function fingerprint(): string {
  const hash = createHash("sha256");
  const note = (path: string, { mode, uid, gid, mtimeMs, ctimeMs, ino, size }: Stats) =>
    hash.update(`${path}\0${mode} ${uid} ${gid} ${mtimeMs} ${ctimeMs} ${ino} ${size}\n`);
  for (const path of ["", "usr", "usr/local", "opt", "var/lib/dpkg/status", "var/lib/rpm", "lib/apk/db"]) {
    const stats = lstatSync(`/${path}`, { throwIfNoEntry: false });
    // The root folder itself changes with anything made in it; only what is shown of it counts.
    if (stats !== undefined && path !== "") note(path, stats);
  }
  hash.update(shownFolders.filter((name) => lstatSync(`/${name}`, { throwIfNoEntry: false })).join());
  const walk = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats !== undefined) note(path, stats);
      if (entry.isDirectory()) walk(path);
    }
  };
  walk("/etc");
  return hash.digest("hex").slice(0, 16);
}
