import { posix } from "node:path";
import type { PodSpec, Volume } from "../kube/types.ts";
import type { ContainerView } from "./pod-view.ts";

/** Where a path in a container leads. */
export interface MountedPath {
  /** The volume; undefined for the container's own root file system. */
  readonly volume: string | undefined;
  /** Equal for two containers if and only if their paths lead to the same file. */
  readonly key: string;
  readonly readOnly: boolean;
}

/** Follows `path` through the mounts of a container, the deepest one first. Symbolic links are not known here. */
export function resolvePath(view: ContainerView, path: string, spec: PodSpec): MountedPath {
  const target = canonicalPath(path);
  const mount = (view.container.volumeMounts ?? [])
    .filter(({ mountPath }) => mountPath !== undefined && isBelow(target, canonicalPath(mountPath)))
    .sort((a, b) => canonicalPath(b.mountPath ?? "").length - canonicalPath(a.mountPath ?? "").length)[0];
  if (mount === undefined) return { volume: undefined, key: `${view.path}:${target}`, readOnly: false };
  const rest = target.slice(canonicalPath(mount.mountPath ?? "").length);
  const volume = (spec.volumes ?? []).find(({ name }) => name === mount.name);
  const inside = canonicalPath(`${mount.subPath ?? mount.subPathExpr ?? ""}/${rest}`);
  return {
    volume: mount.name,
    key: sourceKey(volume, mount.name ?? "", inside),
    readOnly: mount.readOnly === true,
  };
}

/** Normal form of an absolute path; `/var/run` is `/run`, as in every common image. */
export function canonicalPath(path: string): string {
  const normal = posix.normalize(`/${path}`).replace(/(?<=.)\/$/, "");
  return normal.replace(/^\/var\/run(?=\/|$)/, "/run");
}

/** Whether `path` is `folder` or lies below it; both in normal form. */
export function isBelow(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

/** Two volumes of a pod may be the same storage: a folder of the host, a claim. */
function sourceKey(volume: Volume | undefined, name: string, inside: string): string {
  if (volume?.hostPath !== undefined) return `host:${canonicalPath(`${volume.hostPath.path}/${inside}`)}`;
  const claim = volume?.persistentVolumeClaim?.claimName;
  return claim === undefined ? `volume ${name}:${inside}` : `claim ${claim}:${inside}`;
}
