import { chmodSync, lchownSync, lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { PodSpec } from "../kube/types.ts";

const setGroupBit = 0o2000;
const searchable = 0o110;
const readable = 0o440;
const writable = 0o660;

/** What of a pod's security context concerns the ownership of its volumes. */
export interface VolumeOwnership {
  readonly fsGroup: number | undefined;
  /** `OnRootMismatch`: only when the volume's root does not look as it should. */
  readonly changePolicy: "Always" | "OnRootMismatch";
}

/** The ownership that a pod asks for. */
export function ownershipOf({ securityContext }: PodSpec): VolumeOwnership {
  return {
    fsGroup: securityContext?.fsGroup,
    changePolicy: securityContext?.fsGroupChangePolicy === "OnRootMismatch" ? "OnRootMismatch" : "Always",
  };
}

/**
 * Gives everything in `folder` to the pod's fsGroup: group read (and write, unless `readOnly`), and folders with the
 * set-group-ID bit so that new files inherit the group. Follows no symbolic link. Nothing without an fsGroup
 * (https://kubernetes.io/docs/tasks/configure-pod-container/security-context/).
 */
export function applyOwnership(
  folder: string,
  readOnly: boolean,
  { fsGroup, changePolicy }: VolumeOwnership,
) {
  if (fsGroup === undefined) return;
  const root = lstatSync(folder);
  const access = readOnly ? readable : writable;
  if (changePolicy === "OnRootMismatch" && isRight(root, fsGroup, access)) return;
  change(folder, root, fsGroup, access);
}

function isRight({ gid, mode }: Stats, fsGroup: number, access: number): boolean {
  const wanted = access | searchable | setGroupBit;
  return gid === fsGroup && (mode & wanted) === wanted;
}

/** The root last, so that a change which was cut short still shows as one that is needed. */
function change(path: string, stats: Stats, fsGroup: number, access: number): void {
  if (stats.isDirectory()) {
    for (const name of readdirSync(path)) {
      const below = join(path, name);
      change(below, lstatSync(below), fsGroup, access);
    }
  }
  lchownSync(path, stats.uid, fsGroup);
  if (stats.isSymbolicLink()) return;
  const folderBits = stats.isDirectory() ? setGroupBit | searchable : 0;
  chmodSync(path, (stats.mode & 0o7777) | access | folderBits);
}
