import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { ObservedPod, ObservedVolume } from "./types.ts";

/** A volume that a container shares with another one. */
export interface SharedVolume {
  readonly name: string;
  /** Without symbolic links: two volumes may be one folder by two names. */
  readonly hostPath: string;
}

/** Where a container has a shared volume, and what of this machine is mounted there. */
export interface SharedMount {
  readonly mountPath: string;
  readonly source: string;
}

/** Volumes of a container that another one mounts too, and that somebody may write to. */
export function sharedVolumes(pod: ObservedPod, container: string): SharedVolume[] {
  return shared(pod, container).map(({ name, hostPath }) => ({ name, hostPath: realPath(hostPath) }));
}

/** The container's mounts of these volumes. */
export function sharedMounts(pod: ObservedPod, container: string): SharedMount[] {
  return shared(pod, container).flatMap(({ hostPath, mounts }) =>
    mounts
      .filter((mount) => mount.container === container)
      .map(({ mountPath, subPath = "" }) => ({ mountPath, source: join(hostPath, subPath) })),
  );
}

/** Whether a file can be in one of some volumes and one of the others as well. */
export function haveFilesInCommon(some: readonly SharedVolume[], others: readonly SharedVolume[]): boolean {
  const isIn = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
  return some.some((a) => others.some((b) => isIn(a.hostPath, b.hostPath) || isIn(b.hostPath, a.hostPath)));
}

function shared({ volumes }: ObservedPod, container: string): ObservedVolume[] {
  return volumes.filter(
    ({ mounts }) =>
      mounts.some((mount) => mount.container === container) &&
      mounts.some((mount) => mount.container !== container) &&
      mounts.some(({ readOnly }) => readOnly !== true),
  );
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
