import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { isGone } from "../host/files.ts";

/** As many symbolic links as the kernel follows in one path (path_resolution(7)). */
const maximumLinks = 40;
/** No real /etc/passwd is larger; a hostile image's must not fill the daemon's memory. */
const maximumBytes = 10 * 1024 * 1024;

/**
 * The host path of `path` inside a root file system, symbolic links followed as if `rootfs` were `/`, so that
 * no link of an image leads out of it. Undefined when it does not exist. Nothing may run in the root file
 * system meanwhile: the answer would race with it.
 */
export function pathInRootfs(rootfs: string, path: string): string | undefined {
  const pending = path.split("/").filter((part) => part !== "");
  const resolved: string[] = [];
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === ".") continue;
    if (part === "..") {
      resolved.pop();
      continue;
    }
    const candidate = join(rootfs, ...resolved, part);
    const stat = lstatSync(candidate, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isSymbolicLink()) {
      resolved.push(part);
      continue;
    }
    links += 1;
    if (links > maximumLinks) return undefined;
    const target = readlinkSync(candidate);
    if (target.startsWith("/")) resolved.length = 0;
    pending.unshift(...target.split("/").filter((each) => each !== ""));
  }
  return join(rootfs, ...resolved);
}

/** A regular file's text in a root file system; empty when there is none. */
export function readRootfsFile(rootfs: string, path: string): string {
  const hostPath = pathInRootfs(rootfs, path);
  if (hostPath === undefined) return "";
  try {
    const stat = lstatSync(hostPath);
    return stat.isFile() && stat.size <= maximumBytes ? readFileSync(hostPath, "utf8") : "";
  } catch (error) {
    if (isGone(error)) return "";
    throw error;
  }
}
