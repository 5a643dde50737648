import { fileSystemDevice } from "../host/mount-info.ts";
import { readFileFacts } from "../host/proc.ts";
import type { PodFile } from "./snapshot.ts";
import type { ObservedPod } from "./types.ts";

/**
 * How the kernel's tables (sock_diag(7), inotify(7), what bpftrace reads) name the files of volumes: by the file system's
 * device and the inode. stat(2), by which files are told apart everywhere else, gives each subvolume of btrfs a device of its
 * own; and sock_diag(7) has 32 bits of an inode, where xfs(5) uses more on disks above a terabyte.
 */
export class TableNames {
  /** By the volume's folder: what stat(2) said of it, and its file system's device. */
  readonly #devices = new Map<string, { readonly stat: string; readonly device: string }>();

  /** What the tables call a file in the volume with this folder, by the file's identity of stat(2). */
  ofVolume(hostPath: string): (identity: string) => string {
    const stat = readFileFacts(hostPath)?.device;
    const device = stat === undefined ? undefined : this.#deviceOf(hostPath, stat);
    return (identity) => (device === stat ? identity : `${device}:${inodeOf(identity)}`);
  }

  /** The identities of a pod's FIFOs and sockets by what the tables call them; only those that differ. */
  identities(pod: ObservedPod, files: readonly PodFile[]): ReadonlyMap<string, string> {
    const identities = new Map<string, string>();
    for (const { name, hostPath } of pod.volumes) {
      const tableName = this.ofVolume(hostPath);
      for (const { volume, identity } of files) {
        if (volume !== name) continue;
        const named = tableName(identity);
        for (const each of [named, withShortInode(named)])
          if (each !== identity) identities.set(each, identity);
      }
    }
    return identities;
  }

  #deviceOf(hostPath: string, stat: string): string {
    const known = this.#devices.get(hostPath);
    if (known?.stat === stat) return known.device;
    const device = `${fileSystemDevice(hostPath) ?? stat}`;
    this.#devices.set(hostPath, { stat, device });
    return device;
  }
}

function inodeOf(identity: string): string {
  return identity.slice(identity.indexOf(":") + 1);
}

function withShortInode(identity: string): string {
  const inode = inodeOf(identity);
  // Shorter than 2^32, most of them.
  if (inode.length < 10) return identity;
  return `${identity.slice(0, -inode.length)}${BigInt.asUintN(32, BigInt(inode))}`;
}
