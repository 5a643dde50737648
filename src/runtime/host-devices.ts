import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { OCIDevice } from "./spec/oci.ts";

/** Parts of /dev that a container has of its own. */
const ownFolders = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]);

/** Every device node below /dev, for privileged containers. */
export function hostDevices(folder = "/dev"): readonly OCIDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ownFolders.has(entry.name) ? [] : hostDevices(path);
    if (path === "/dev/console" || !(entry.isCharacterDevice() || entry.isBlockDevice())) return [];
    const { rdev, mode, uid, gid } = lstatSync(path);
    const type = entry.isBlockDevice() ? "b" : "c";
    return [
      { type, path, major: majorOf(rdev), minor: minorOf(rdev), fileMode: mode & 0o7777, uid, gid } as const,
    ];
  });
}

/** makedev(3) as glibc packs the two numbers. */
function majorOf(device: number): number {
  return Number((BigInt(device) >> 8n) & 0xfffn) + Number((BigInt(device) >> 32n) & 0xfffff000n);
}

function minorOf(device: number): number {
  return Number(BigInt(device) & 0xffn) + Number((BigInt(device) >> 12n) & 0xffffff00n);
}
