import { chmodSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { PeapodError } from "../base/errors.ts";
import { type Scope, uncancelled } from "../base/scope.ts";
import { withUndo } from "../base/undo-stack.ts";
import { readFolderIfExists, removeIfEmpty } from "../host/files.ts";
import { claimsDir, type Layout, podDir, podSubPathsDir, podVolumesDir } from "../host/layout.ts";
import type { StoredPod, Volume } from "../kube/types.ts";
import { unmountAndDelete } from "./delete-tree.ts";
import { readVariable } from "./file-variable.ts";
import { sourceField, volumeTypeOf } from "./registry.ts";
import { mountSubPath } from "./sub-path.ts";
import type {
  MountedSubPath,
  MountedVolume,
  SubPathRequest,
  VolumeContent,
  VolumeFile,
  VolumeService,
  VolumeUsage,
} from "./types.ts";
import { usedOnDisk, usedOnTmpfs } from "./usage.ts";
import type { VolumeRequest, VolumeType } from "./volume-type.ts";

/**
 * The volumes of one node's pods. What is made for a pod is below the pod's folder in the state folder and nowhere
 * else, so the folders themselves are the record of it.
 */
export function createVolumeService(options: { layout: Layout }): VolumeService {
  return new FolderVolumes(options.layout);
}

class FolderVolumes implements VolumeService {
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  async mount(
    pod: StoredPod,
    contents: ReadonlyMap<string, VolumeContent>,
    scope: Scope,
  ): Promise<ReadonlyMap<string, MountedVolume>> {
    const root = podVolumesDir(this.#layout, pod.metadata.uid);
    const volumes = pod.spec.volumes ?? [];
    const planned = volumes.map((volume) => this.#plan(pod, volume, contents.get(volume.name)));
    return await withUndo(scope.log, async (undo) => {
      const mounted = new Map<string, MountedVolume>();
      for (const { type, request } of planned) {
        const isNew = !existsSync(request.folder);
        if (isNew) {
          // Added first: a mount that fails half-way may have made the folder.
          undo.add(`delete volume ${request.volume.name}`, () =>
            this.#delete(request.folder, root, uncancelled(scope)),
          );
        }
        mounted.set(request.volume.name, await mountOne(type, request, scope));
      }
      return mounted;
    });
  }

  update(pod: StoredPod, volumeName: string, files: ReadonlyMap<string, VolumeFile>): void {
    const volume = pod.spec.volumes?.find(({ name }) => name === volumeName);
    if (volume === undefined) return;
    const { type, request } = this.#plan(pod, volume);
    if (type.find(request) !== undefined) type.update?.(request, files, Date.now());
  }

  mountSubPath(podUID: string, request: SubPathRequest, scope: Scope): Promise<MountedSubPath> {
    return mountSubPath(podSubPathsDir(this.#layout, podUID), request, scope);
  }

  makeClaimFolder(name: string): string {
    const folder = join(claimsDir(this.#layout), name);
    if (!existsSync(folder)) {
      // Under another name until it is everybody's, whatever the umask is: a daemon may be killed in between.
      const draft = join(claimsDir(this.#layout), `.${name}`);
      mkdirSync(draft, { recursive: true });
      chmodSync(draft, 0o777);
      renameSync(draft, folder);
    }
    return folder;
  }

  async deleteClaimFolder(path: string, scope: Scope): Promise<void> {
    if (dirname(path) === claimsDir(this.#layout)) await unmountAndDelete(path, scope);
  }

  readVariable(volume: MountedVolume, path: string, name: string): string | undefined {
    return readVariable(volume.hostPath, path, name);
  }

  async unmount(podUID: string, scope: Scope): Promise<void> {
    // Sub-paths first: they are mounts of what is in the volumes.
    for (const root of [podSubPathsDir(this.#layout, podUID), podVolumesDir(this.#layout, podUID)]) {
      if (existsSync(root)) await unmountAndDelete(root, scope);
    }
    removeIfEmpty(podDir(this.#layout, podUID));
  }

  find(pod: StoredPod): ReadonlyMap<string, MountedVolume> {
    const found = new Map<string, MountedVolume>();
    for (const volume of pod.spec.volumes ?? []) {
      // A volume that could not be mounted is not found.
      if (volumeTypeOf(volume) === undefined) continue;
      const { type, request } = this.#plan(pod, volume);
      const mounted = type.find(request);
      if (mounted !== undefined) found.set(volume.name, mounted);
    }
    return found;
  }

  list(): readonly string[] {
    // An empty folder counts, too: who was killed before removing it has left it.
    return readFolderIfExists(dirname(podDir(this.#layout, "any")));
  }

  measure(folders: readonly string[], scope: Scope): Promise<ReadonlyMap<string, number>> {
    return usedOnDisk(
      folders.filter((folder) => existsSync(folder)),
      scope,
    );
  }

  async usage(pod: StoredPod, scope: Scope): Promise<readonly VolumeUsage[]> {
    const limited = (pod.spec.volumes ?? [])
      .filter((volume) => volumeTypeOf(volume) !== undefined)
      .map((volume) => this.#plan(pod, volume))
      .map(({ type, request }) => ({ request, limitBytes: type.limit(request) }))
      .filter(({ request, limitBytes }) => limitBytes !== undefined && existsSync(request.folder));
    const inMemory = ({ request }: { request: VolumeRequest }) =>
      request.volume.emptyDir?.medium === "Memory";
    const folders = limited.filter((each) => !inMemory(each)).map(({ request }) => request.folder);
    const onDisk = await usedOnDisk(folders, scope);
    return limited.flatMap((each) => {
      const { folder, volume } = each.request;
      const usedBytes = inMemory(each) ? usedOnTmpfs(folder) : onDisk.get(folder);
      return usedBytes === undefined ? [] : [{ name: volume.name, usedBytes, limitBytes: each.limitBytes }];
    });
  }

  #plan(
    pod: StoredPod,
    volume: Volume,
    content?: VolumeContent,
  ): { type: VolumeType; request: VolumeRequest } {
    const type = volumeTypeOf(volume);
    if (type === undefined) {
      const source = sourceField(volume);
      throw new PeapodError(
        "FailedMount",
        `volume "${volume.name}": volumes of type ${source} are not supported`,
      );
    }
    const folder = join(podVolumesDir(this.#layout, pod.metadata.uid), type.plugin, volume.name);
    return { type, request: { pod, volume, folder, content } };
  }

  /** Deletes one volume, and the folders above it that are empty then, up to the pod's. */
  async #delete(folder: string, root: string, scope: Scope): Promise<void> {
    await unmountAndDelete(folder, scope);
    for (const parent of [dirname(folder), root, dirname(root)]) removeIfEmpty(parent);
  }
}

async function mountOne(type: VolumeType, request: VolumeRequest, scope: Scope): Promise<MountedVolume> {
  try {
    return await type.mount(request, scope);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `MountVolume.SetUp failed for volume "${request.volume.name}" : ${why}`;
    throw new PeapodError("FailedMount", message, { cause: error });
  }
}
