import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { isGone } from "../host/files.ts";
import { containerStateDir, type Layout } from "../host/layout.ts";
import type { StoredContainer } from "./container-table.ts";
import { parseLogLine } from "./logs/cri-line.ts";
import { tailPlace } from "./logs/tail.ts";

/** The kubelet's limits: the last 4096 bytes of the file; else 80 lines of the log, of them the last 2048 bytes. */
const fileBytes = 4096;
const logLines = 80;
const logBytes = 2048;

/** Enough of a log for 80 lines of reasonable length; more than 2048 bytes of them are not shown anyway. */
const logBytesRead = 256 * 1024;

/** Host file behind the container's terminationMessagePath. */
export function terminationMessageFile(layout: Layout, id: string): string {
  return join(containerStateDir(layout, id), "termination-message");
}

/**
 * What the container left as its message
 * (https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/): what it wrote into
 * the file or, where it asked for that and has failed without writing any, the end of its log. Undefined when it
 * left none. The log must be complete.
 */
export function readTerminationMessage(
  layout: Layout,
  { record, terminationMessagePolicy }: StoredContainer,
  exitCode: number,
): string | undefined {
  const written = lastBytes(terminationMessageFile(layout, record.id), 0, fileBytes);
  if (written !== undefined && written.length > 0) return written.toString("utf8");
  if (terminationMessagePolicy !== "FallbackToLogsOnError" || exitCode === 0) return undefined;
  return endOfLog(record.logPath);
}

function endOfLog(path: string): string | undefined {
  let offset: number;
  try {
    offset = tailPlace([path], logLines, undefined).offset;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  const text = lastBytes(path, offset, logBytesRead) ?? Buffer.alloc(0);
  const content = linesOf(text).flatMap((line) => {
    const entry = parseLogLine(line);
    if (entry === undefined) return [];
    return entry.isPartial ? [entry.content] : [entry.content, Buffer.from("\n")];
  });
  const bytes = Buffer.concat(content);
  return bytes.length === 0 ? undefined : bytes.subarray(-logBytes).toString("utf8");
}

function linesOf(text: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (
    let start = 0, end = text.indexOf(0x0a);
    end !== -1;
    start = end + 1, end = text.indexOf(0x0a, start)
  ) {
    lines.push(text.subarray(start, end));
  }
  return lines;
}

/** The end of the file from `offset` on, at most `count` bytes; undefined when there is no such file. */
function lastBytes(path: string, offset: number, count: number): Buffer | undefined {
  try {
    const fd = openSync(path, "r");
    try {
      const { size } = fstatSync(fd);
      const start = Math.max(offset, size - count);
      const buffer = Buffer.alloc(Math.max(0, size - start));
      return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, start));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
