import { join, posix } from "node:path";
import type { ObservedPod, ObservedVolume } from "./types.ts";

/** Where a container's path leads in the pod's volumes. */
export interface VolumePath {
  readonly volume: ObservedVolume;
  /** `VOLUME:/path`: the same for all containers, wherever each mounts the volume. */
  readonly label: string;
  readonly hostPath: string;
}

/** Resolves a path as a container knows it; undefined when it is in no volume (or only by a symbolic link). */
export function volumePath(pod: ObservedPod, container: string, path: string): VolumePath | undefined {
  const plain = posix.normalize(path);
  let best: { volume: ObservedVolume; mountPath: string; subPath: string } | undefined;
  for (const volume of pod.volumes) {
    for (const mount of volume.mounts) {
      const mountPath = mount.mountPath.replace(/\/+$/, "");
      const inside = plain === mountPath || plain.startsWith(`${mountPath}/`);
      if (mount.container !== container || !inside) continue;
      // Of mounts inside each other, the innermost covers the rest.
      if (best === undefined || mountPath.length > best.mountPath.length)
        best = { volume, mountPath, subPath: mount.subPath ?? "" };
    }
  }
  if (best === undefined) return undefined;
  const relative = posix.join("/", best.subPath, plain.slice(best.mountPath.length));
  return {
    volume: best.volume,
    label: `${best.volume.name}:${relative}`,
    hostPath: join(best.volume.hostPath, relative),
  };
}

/** The path by which a container knows a place in a volume; undefined when it doesn't mount the volume. */
export function pathInContainer(pod: ObservedPod, container: string, label: string): string | undefined {
  const colon = label.indexOf(":");
  const volume = pod.volumes.find(({ name }) => name === label.slice(0, colon));
  const mount = volume?.mounts.find((each) => each.container === container);
  if (mount === undefined) return undefined;
  const top = posix.join("/", mount.subPath ?? "").replace(/\/$/, "");
  const path = label.slice(colon + 1);
  return path === top || path.startsWith(`${top}/`)
    ? posix.join(mount.mountPath, path.slice(top.length))
    : undefined;
}
