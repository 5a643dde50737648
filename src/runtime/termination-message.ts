import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Scope } from "../base/scope.ts";
import { isGone } from "../host/files.ts";
import { containerStateDir, type Layout } from "../host/layout.ts";
import type { StoredContainer } from "./container-table.ts";
import { readLog } from "./logs/read-log.ts";

/** The kubelet's limits. */
const maximumBytes = 4096;
const maximumLogBytes = 2048;
const maximumLogLines = 80;

/** Host file behind the container's terminationMessagePath. */
export function terminationMessageFile(layout: Layout, id: string): string {
  return join(containerStateDir(layout, id), "termination-message");
}

/**
 * What the container left as its message, in the file or, when it failed, wrote none and asked for
 * `FallbackToLogsOnError`, the end of its log; undefined for nothing
 * (https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/).
 */
export async function terminationMessage(
  layout: Layout,
  stored: StoredContainer,
  exitCode: number,
  scope: Scope,
): Promise<string | undefined> {
  const message = readMessageFile(layout, stored.record.id);
  const wantsLog = stored.terminationMessagePolicy === "FallbackToLogsOnError" && exitCode !== 0;
  if (message !== undefined || !wantsLog) return message;
  const chunks: Uint8Array[] = [];
  const options = { follow: false, timestamps: false, tailLines: maximumLogLines };
  const ended = { isOver: () => true, onChange: () => () => {} };
  for await (const chunk of readLog(stored.record.logPath, options, ended, scope)) chunks.push(chunk);
  const text = Buffer.concat(chunks).subarray(-maximumLogBytes).toString();
  return text === "" ? undefined : text;
}

function readMessageFile(layout: Layout, id: string): string | undefined {
  try {
    const fd = openSync(terminationMessageFile(layout, id), "r");
    try {
      const buffer = Buffer.alloc(maximumBytes);
      const length = readSync(fd, buffer, 0, maximumBytes, 0);
      return length === 0 ? undefined : buffer.toString("utf8", 0, length);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
