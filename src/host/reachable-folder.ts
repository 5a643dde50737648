import { chmodSync, chownSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../base/errors.ts";
import { isGone } from "./files.ts";
import { type Layout, reachableDir } from "./layout.ts";

/**
 * Makes a folder of its own below {@link reachableDir} and returns its path: only user `owner`, the root of a user
 * namespace, and this machine's root can pass it. Found again when it is there.
 */
export function makeReachableFolder(layout: Layout, name: string, owner: number): string {
  const base = reachableDir(layout);
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Whatever the umask is.
  chmodSync(base, 0o711);
  chownSync(folder, owner, owner);
  return folder;
}

/** Removes `FOLDER/parts…`, the folder, and the base with the last one; all must be empty and unmounted. */
export function removeReachableFolder(layout: Layout, name: string, parts: readonly string[]): void {
  const folder = join(reachableDir(layout), name);
  for (const part of parts) removeEmpty(join(folder, part));
  removeEmpty(folder);
  try {
    removeEmpty(reachableDir(layout));
  } catch (error) {
    if (systemErrorCode(error) !== "ENOTEMPTY") throw error;
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
