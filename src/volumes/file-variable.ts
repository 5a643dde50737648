import { closeSync, fstatSync, readFileSync } from "node:fs";
import { PeapodError } from "../base/errors.ts";
import { isGone } from "../host/files.ts";
import { openBeneath } from "./open-beneath.ts";

/** The kubelet's limit for such a file. */
const maximumBytes = 64 * 1024;

/** One entry, comment or empty line: `NAME='value'`, the value over several lines if need be, or `NAME=` alone. */
const entry = /[ \t]*(?:#[^\n]*|([^\s=]+)=(?:'([^']*)'|(?=[ \t\n]|$))[ \t]*(?:#[^\n]*)?)?(?:\n|$)/y;

/**
 * The value of a variable in a file of a volume: lines of `NAME='value'`, taken literally, comments behind `#`.
 * Undefined without such a variable or file. Throws CreateContainerConfigError for a file that reads otherwise or is
 * no regular one of at most 64 KiB
 * (https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-via-file/).
 */
export function readVariable(root: string, path: string, name: string): string | undefined {
  const text = readText(root, path);
  if (text === undefined) return undefined;
  for (let at = 0; at < text.length; at = entry.lastIndex) {
    entry.lastIndex = at;
    const match = entry.exec(text);
    if (match === null) throw unreadable();
    if (match[1] === name) return match[2] ?? "";
  }
  return undefined;
}

function readText(root: string, path: string): string | undefined {
  let fd: number;
  try {
    fd = openBeneath(root, path, false);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unreadable(error);
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > maximumBytes) throw unreadable();
    return readFileSync(`/proc/self/fd/${fd}`, "utf8");
  } finally {
    closeSync(fd);
  }
}

/** What exactly is wrong would tell the pod's author about this machine. */
function unreadable(cause?: unknown): PeapodError {
  return new PeapodError("CreateContainerConfigError", "couldn't parse env file", { cause });
}
