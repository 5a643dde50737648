import { readdirSync, statfsSync, statSync } from "node:fs";
import { type FileKind, readFileFacts, readProcFile } from "./proc.ts";

/** Who may do what with a file: inode(7). */
export interface FileAccess {
  /** `device:inode`. */
  readonly identity: string;
  readonly kind: FileKind;
  readonly uid: number;
  readonly gid: number;
  /** The permission bits, e.g. 0o755. */
  readonly mode: number;
}

/** stat(2) of a path, which opens nothing; undefined where it does not lead to a file. */
export function readFileAccess(path: string): FileAccess | undefined {
  const facts = readFileFacts(path);
  if (facts === undefined) return undefined;
  try {
    const { uid, gid, mode } = statSync(path);
    return { identity: facts.identity, kind: facts.kind, uid, gid, mode: mode & 0o7777 };
  } catch {
    return undefined;
  }
}

/** As whom a process accesses files: credentials(7), capabilities(7). Numbers are those of the host. */
export interface ProcessCredentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Has CAP_DAC_OVERRIDE: no permission bit keeps it from writing. */
  readonly overrides: boolean;
}

const dacOverride = 1n << 1n;

/** The file system credentials of a process, from /proc/PID/status; undefined when it is gone. */
export function readProcessCredentials(pid: number): ProcessCredentials | undefined {
  return parseProcessCredentials(readProcFile(`/proc/${pid}/status`) ?? "");
}

/** Parses /proc/PID/status (proc_pid_status(5)). */
export function parseProcessCredentials(status: string): ProcessCredentials | undefined {
  const numbers = (name: string) =>
    (new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "")
      .split(/\s+/)
      .filter((word) => word !== "")
      .map(Number);
  // Real, effective, saved, file system.
  const uid = numbers("Uid")[3];
  const gid = numbers("Gid")[3];
  if (uid === undefined || gid === undefined) return undefined;
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return { uid, gid, groups: numbers("Groups"), overrides: (capabilities & dacOverride) !== 0n };
}

/** A mounted file system's device and how full it is. */
export interface FileSystemSpace {
  readonly device: string;
  readonly size: number;
  readonly available: number;
  /** Names in the folder, at most 200. */
  readonly names: readonly string[];
}

/** statfs(2) and the names of a folder; undefined when it isn't there. */
export function readFileSystemSpace(folder: string): FileSystemSpace | undefined {
  try {
    const { bsize, blocks, bavail } = statfsSync(folder);
    const device = readFileFacts(folder)?.device ?? "";
    const names = readdirSync(folder).slice(0, 200);
    return { device, size: bsize * blocks, available: bsize * bavail, names };
  } catch {
    return undefined;
  }
}
