import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { deviceNumber } from "./device-number.ts";

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface MountInfo {
  readonly id: number;
  readonly parentID: number;
  /** Of the file system, as the kernel's own tables have it, in stat(2)'s form. */
  readonly device: number;
  /** The folder of the file system that is its root. */
  readonly root: string;
  readonly target: string;
  /** Per-mount options: `ro`, `nosuid`, `relatime` … */
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  /** The file system's own options. */
  readonly superOptions: readonly string[];
}

/** Every mount of this process' mount namespace, in the order in which they were made. */
export function listMounts(): readonly MountInfo[] {
  return parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"));
}

/**
 * Those of `mounts` that a path leads to: neither covered by a mount at the same place nor below a folder on which
 * another file system was mounted later. mountinfo lists the covered ones all the same; umount2(2) does not find them.
 */
export function visibleMounts(mounts: readonly MountInfo[]): readonly MountInfo[] {
  const byID = new Map(mounts.map((mount) => [mount.id, mount]));
  const children = Map.groupBy(mounts, ({ parentID }) => parentID);
  const isCovered = (mount: MountInfo): boolean => {
    const parent = byID.get(mount.parentID);
    // The very first mount is its own parent; that of a chroot's root is not listed.
    if (parent === undefined || parent === mount) return false;
    const covers = (each: MountInfo) =>
      each !== mount && each !== parent && isAtOrBelow(mount.target, each.target);
    return children.get(parent.id)?.some(covers) === true || isCovered(parent);
  };
  const isBelowAnother = (mount: MountInfo) =>
    children.get(mount.id)?.some((each) => each !== mount && each.target === mount.target) === true;
  return mounts.filter((mount) => !isBelowAnother(mount) && !isCovered(mount));
}

function isAtOrBelow(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

/** Whether `target` (absolute, without symbolic links) is a mount point. */
export function isMounted(target: string): boolean {
  return listMounts().some((mount) => mount.target === target);
}

/**
 * Whether a file system of its own begins at the folder `target`. Far cheaper than the list of all mounts, which grows
 * with every container of the machine; but a bind mount from the file system that `target` is in is not noticed.
 */
export function isFileSystemRoot(target: string): boolean {
  const own = statSync(target, { throwIfNoEntry: false });
  return own !== undefined && own.dev !== statSync(dirname(target)).dev;
}

const pathOnly = 0o10000000; // O_PATH

/**
 * The device of the file system that `path` leads to, as /proc/PID/maps, inotify(7), sock_diag(7) and the kernel itself have
 * it. stat(2) says the same, but on btrfs: there it gives each subvolume a number of its own. Undefined when the path is gone.
 */
export function fileSystemDevice(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, pathOnly);
  } catch {
    return undefined;
  }
  try {
    const mount = Number(/^mnt_id:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1]);
    return listMounts().find(({ id }) => id === mount)?.device;
  } finally {
    closeSync(fd);
  }
}

/** Whether stat(2) and the kernel's tables give a folder different devices: it is in a subvolume of btrfs. */
export function isSubvolume(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.dev !== fileSystemDevice(folder);
}

/** Reads the text of a mountinfo file. */
export function parseMountInfo(text: string): readonly MountInfo[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseLine);
}

function parseLine(line: string): MountInfo {
  // A run of optional fields of any length stands between the sixth field and the lone dash.
  const dash = line.indexOf(" - ");
  const head = line.slice(0, dash).split(" ");
  const tail = line.slice(dash + 3).split(" ");
  return {
    id: Number(head[0]),
    parentID: Number(head[1]),
    device: parseDevice(head[2] ?? ""),
    root: unescapeOctal(head[3] ?? ""),
    target: unescapeOctal(head[4] ?? ""),
    options: (head[5] ?? "").split(","),
    type: tail[0] ?? "",
    source: unescapeOctal(tail[1] ?? ""),
    superOptions: (tail[2] ?? "").split(","),
  };
}

function parseDevice(text: string): number {
  const [major, minor] = text.split(":").map(Number);
  return deviceNumber(major ?? 0, minor ?? 0);
}

/** Space, tab, newline and backslash are written as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
