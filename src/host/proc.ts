import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statfsSync,
  statSync,
} from "node:fs";
import { deviceNumber, fromKernelDevice } from "./device-number.ts";
import { isGone } from "./files.ts";

/**
 * Read-only views of /proc: proc(5). Nothing here opens a file behind a descriptor, so no FIFO is ever opened.
 * A process that is gone, or of which something can't be read, gives an empty answer, never an error.
 */

/** Reads a small file of /proc; undefined when it, or its process, is gone or hidden. */
export function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** `comm` and the PID in the process' innermost PID namespace. */
export function readProcessIdentity(
  pid: number,
): { name: string; namespacePID: number | undefined } | undefined {
  const status = readProcFile(`/proc/${pid}/status`);
  if (status === undefined) return undefined;
  const name = /^Name:\t(.*)$/m.exec(status)?.[1] ?? "";
  const numbers = /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
  const last = numbers.at(-1);
  return { name, namespacePID: last === undefined ? undefined : Number(last) };
}

/** The process' cgroup in every hierarchy, as /proc/PID/cgroup names them (also of a zombie). */
export function readCgroups(pid: number): string[] {
  const text = readProcFile(`/proc/${pid}/cgroup`) ?? "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":").slice(2).join(":"));
}

/** A descriptor as /proc/PID/fd shows it. */
export interface DescriptorLink {
  readonly fd: number;
  /** `socket:[INODE]`, `pipe:[INODE]`, `anon_inode:…` or a path in the process' mount namespace. */
  readonly link: string;
}

/** All descriptors of a process, at most `limit`. */
export function readDescriptors(pid: number, limit = 4096): DescriptorLink[] {
  const folder = `/proc/${pid}/fd`;
  const found: DescriptorLink[] = [];
  for (const entry of listFolder(folder).slice(0, limit)) {
    try {
      found.push({ fd: Number(entry), link: readlinkSync(`${folder}/${entry}`) });
    } catch (error) {
      if (!isGone(error)) break;
    }
  }
  return found;
}

/** Access mode and position of a descriptor: /proc/PID/fdinfo/FD. */
export function readDescriptorInfo(
  pid: number,
  fd: number,
): { access: "read" | "write" | "both"; position: number } | undefined {
  const text = readProcFile(`/proc/${pid}/fdinfo/${fd}`);
  if (text === undefined) return undefined;
  const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(text)?.[1] ?? "0", 8);
  const position = Number(/^pos:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  return { access: (["read", "write", "both", "both"] as const)[flags & 3] ?? "both", position };
}

const maxWatches = 256;

/** What an inotify(7) descriptor watches, as `device:inode` of stat(2), at most 256: /proc/PID/fdinfo/FD. */
export function readWatches(pid: number, fd: number): string[] {
  return parseWatches(readProcFile(`/proc/${pid}/fdinfo/${fd}`) ?? "");
}

/**
 * Parses the text of such a file. The device number in it is the kernel's own (major << 20 | minor), and the file
 * system's: where one gives several to stat(2) (btrfs), it is none of them.
 */
export function parseWatches(text: string): string[] {
  return [...text.matchAll(/^inotify wd:\S+ ino:([0-9a-f]+) sdev:([0-9a-f]+)/gm)]
    .slice(0, maxWatches)
    .map(
      ([, inode, device = "0"]) => `${fromKernelDevice(Number.parseInt(device, 16))}:${BigInt(`0x${inode}`)}`,
    );
}

export type FileKind = "file" | "fifo" | "socket" | "folder" | "other";

/** A file as stat(2) sees it, whatever path leads to it. `identity` is `device:inode`. */
export interface FileFacts {
  readonly identity: string;
  readonly device: string;
  readonly kind: FileKind;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly accessedAt: number;
}

/** stat(2), which follows the magic links of /proc/PID/fd without opening what they lead to. */
export function readFileFacts(path: string): FileFacts | undefined {
  try {
    return fileFacts(statSync(path, { bigint: true }));
  } catch {
    return undefined;
  }
}

/** What stat(2) told of a file. */
export function fileFacts(stat: BigIntStats): FileFacts {
  return {
    identity: `${stat.dev}:${stat.ino}`,
    device: `${stat.dev}`,
    kind: stat.isFile()
      ? "file"
      : stat.isFIFO()
        ? "fifo"
        : stat.isSocket()
          ? "socket"
          : stat.isDirectory()
            ? "folder"
            : "other",
    size: Number(stat.size),
    modifiedAt: Number(stat.mtimeMs),
    accessedAt: Number(stat.atimeMs),
  };
}

/** A MAP_SHARED mapping of /proc/PID/maps. */
export interface SharedMapping {
  /** Name in the process' mount namespace, `/SYSV<key>` or `/memfd:<name>`. */
  readonly path: string;
  /** `device:inode`, the device as stat(2) numbers it, but for btrfs. For System V the inode is the segment's id. */
  readonly identity: string;
  readonly inode: string;
  readonly writable: boolean;
  readonly start: bigint;
  readonly end: bigint;
}

// `[ \t]*` and not `\s*` before the path: an anonymous line ends there and must not swallow the next one.
const mappingLine =
  /^([0-9a-f]+)-([0-9a-f]+) r?-?(w|-)[x-]s [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) (\d+)[ \t]*(.*)$/gm;

/** Parses the shared mappings out of the text of /proc/PID/maps. */
export function parseSharedMappings(text: string): SharedMapping[] {
  return [...text.matchAll(mappingLine)].map((match) => {
    const [, start = "0", end = "0", write, major = "0", minor = "0", inode = "0", path = ""] = match;
    return {
      path,
      identity: `${deviceNumber(Number.parseInt(major, 16), Number.parseInt(minor, 16))}:${inode}`,
      inode,
      writable: write === "w",
      start: BigInt(`0x${start}`),
      end: BigInt(`0x${end}`),
    };
  });
}

/** A thread that waits inside a system call: /proc/PID/task/TID/syscall. */
export interface WaitingCall {
  readonly number: number;
  readonly args: readonly bigint[];
}

/** The system calls in which a process' threads wait now, at most `limit` threads. */
export function readWaitingCalls(pid: number, limit = 64): WaitingCall[] {
  return listFolder(`/proc/${pid}/task`)
    .slice(0, limit)
    .flatMap((thread) => parseWaitingCall(readProcFile(`/proc/${pid}/task/${thread}/syscall`) ?? ""));
}

/** Parses /proc/PID/syscall; empty for a running thread and for one that waits outside a system call. */
export function parseWaitingCall(text: string): WaitingCall[] {
  const [number = "", ...rest] = text.trim().split(" ");
  if (!/^\d+$/.test(number)) return [];
  return [{ number: Number(number), args: rest.slice(0, 6).map((word) => BigInt(word)) }];
}

/** Reads memory of a process through /proc/PID/mem; undefined where nothing is mapped. */
export function readMemory(pid: number, address: bigint, length: number): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/mem`, "r");
  } catch {
    return undefined;
  }
  try {
    const buffer = Buffer.alloc(length);
    const read = readSync(fd, buffer, 0, length, address);
    return buffer.subarray(0, read);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** A NUL-terminated string in the memory of a process, such as the path given to open(2). */
export function readMemoryString(pid: number, address: bigint): string | undefined {
  // A read never crosses into a page that may not be mapped unless the string does.
  const toPageEnd = 4096 - Number(address % 4096n);
  const first = readMemory(pid, address, toPageEnd);
  if (first === undefined) return undefined;
  const end = first.indexOf(0);
  if (end !== -1) return first.toString("utf8", 0, end);
  const rest = readMemory(pid, address + BigInt(toPageEnd), 4096) ?? Buffer.alloc(0);
  const whole = Buffer.concat([first, rest]);
  const wholeEnd = whole.indexOf(0);
  return wholeEnd === -1 ? undefined : whole.toString("utf8", 0, wholeEnd);
}

/** The process' working folder in its own mount namespace. */
export function readWorkingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** Symbolic links followed in one path before it counts as a loop: as many as the kernel follows. */
const maxLinks = 40;

/**
 * The path under /proc/PID/root to which a path leads in the process' own root. Links are followed one by one,
 * because an absolute one would lead out of there into the reader's root.
 */
export function resolveInRoot(pid: number, path: string): string | undefined {
  const root = `/proc/${pid}/root`;
  const pending = path.split("/").reverse();
  const resolved: string[] = [];
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      resolved.pop();
      continue;
    }
    const here = `${root}/${[...resolved, part].join("/")}`;
    try {
      if (!lstatSync(here).isSymbolicLink()) {
        resolved.push(part);
        continue;
      }
      links += 1;
      if (links > maxLinks) return undefined;
      const target = readlinkSync(here);
      if (target.startsWith("/")) resolved.length = 0;
      pending.push(...target.split("/").reverse());
    } catch {
      return undefined;
    }
  }
  return `${root}/${resolved.join("/")}`;
}

// linux/magic.h does not have it; ipc/mqueue.c does.
const messageQueueMagic = 0x19800202;

/** Whether a descriptor's file is a POSIX message queue (mq_overview(7)); opens nothing. */
export function isMessageQueue(pid: number, fd: number): boolean {
  try {
    return statfsSync(`/proc/${pid}/fd/${fd}`).type === messageQueueMagic;
  } catch {
    return false;
  }
}

/** The inode of a process' namespace (namespaces(7)), which tells it from all others. */
export function readNamespaceInode(pid: number | "self", type: "mnt" | "net" | "ipc"): string | undefined {
  try {
    return /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/${type}`))?.[1];
  } catch {
    return undefined;
  }
}
