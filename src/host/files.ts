import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { systemErrorCode } from "../base/errors.ts";

let counter = 0;

/**
 * Replaces a file's content so that a reader, or a daemon killed at any instant, sees the old or the new
 * content, never a part (write to a sibling, rename over: rename(2)). `durable` adds fsync(2) for content
 * that must survive a loss of power too. On a full disk it succeeds when the file has this text already.
 */
export function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  options: { mode?: number; durable?: boolean } = {},
): void {
  counter += 1;
  const temporary = `${path}.${process.pid}-${counter}.tmp`;
  try {
    const fd = openSync(temporary, "wx", options.mode ?? 0o600);
    try {
      writeFileSync(fd, content);
      if (options.durable === true) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    // Else a node could not even start, to be told to remove pods, on a disk that its pods have filled.
    if (isDiskFull(error) && readFileIfExists(path) === content) return;
    throw error;
  }
}

/** The file's text, or undefined when there is no such file. Other failures throw. */
export function readFileIfExists(path: string): string | undefined {
  return unlessGone(() => readFileSync(path, "utf8"));
}

/** A descriptor to read from, or undefined when there is no such file. Other failures throw. */
export function openIfExists(path: string): number | undefined {
  return unlessGone(() => openSync(path, "r"));
}

/** The names in a folder, or none when there is no such folder. Other failures throw. */
export function readFolderIfExists(path: string): readonly string[] {
  return unlessGone(() => readdirSync(path)) ?? [];
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Removes a folder, unless it is gone already, has something in it or is a mount point. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = systemErrorCode(error);
    if (!isGone(error) && code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "EBUSY") throw error;
  }
}

/** Whether a file system call failed because the file or a folder above it is not there. */
export function isGone(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === "ENOENT" || code === "ENOTDIR" || code === "ESRCH";
}

/** Whether a file system call failed for want of room, the machine's or the user's. */
export function isDiskFull(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}
