import { statfsSync } from "node:fs";
import { type Scope, withTimeout } from "../base/scope.ts";
import { runCommand } from "../host/command.ts";

/** How long measuring folders may take before it is given up, in milliseconds. */
const limitMilliseconds = 10_000;

/** Bytes in use on a tmpfs. */
export function usedOnTmpfs(path: string): number {
  const { bsize, blocks, bfree } = statfsSync(path);
  return (blocks - bfree) * bsize;
}

/**
 * Bytes on disk of each folder, by du(1): blocks that are really allocated, one file system only, hard links once.
 * At the lowest priority and for ten seconds at most; a folder that could not be measured in time is left out.
 */
export async function usedOnDisk(
  folders: readonly string[],
  scope: Scope,
): Promise<ReadonlyMap<string, number>> {
  if (folders.length === 0) return new Map();
  const used = new Map<string, number>();
  let text = "";
  const onStdout = (chunk: Buffer) => {
    text += chunk.toString();
  };
  const du = ["du", "--summarize", "--one-file-system", "--block-size=1", "--null", "--", ...folders];
  try {
    // 1: some file vanished meanwhile or could not be read.
    const options = { onStdout, okCodes: [0, 1] };
    await runCommand("nice", ["-n", "19", ...du], options, withTimeout(scope, limitMilliseconds));
  } catch (error) {
    if (scope.signal.aborted) throw error;
    scope.log.warn({ folders }, "volumes not measured in time");
  }
  for (const entry of text.split("\0")) {
    const [bytes, ...path] = entry.split("\t");
    if (path.length > 0) used.set(path.join("\t"), Number(bytes));
  }
  return used;
}
