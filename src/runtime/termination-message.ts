import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { isGone } from "../host/files.ts";
import { containerStateDir, type Layout } from "../host/layout.ts";

/** The kubelet's limits: 4096 bytes of the file; 2048 bytes or 80 lines of the log. */
const maximumBytes = 4096;

/** Host file behind the container's terminationMessagePath. */
export function terminationMessageFile(layout: Layout, id: string): string {
  return join(containerStateDir(layout, id), "termination-message");
}

/**
 * What the container left as its message (https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/);
 * undefined when it left none.
 */
export function readTerminationMessage(layout: Layout, id: string): string | undefined {
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
