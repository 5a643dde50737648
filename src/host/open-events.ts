import type { ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import { setPriority } from "node:os";
import { startProcess } from "./child-process.ts";
import { type FileEvent, fanotify, fileEvents, markFlags, parseFileEvents } from "./fanotify.ts";

/** Who opens and closes given files, told by the kernel as it happens. */
export interface OpenEvents {
  /**
   * Starts to watch a file (no open, no descriptor is kept on it); gives the handle by which its events name it,
   * undefined where the file system can't.
   */
  watch(path: string): string | undefined;
  unwatch(path: string): void;
  close(): Promise<void>;
}

/** The processes in question live for less than a millisecond; the relay itself does next to nothing. */
const relayPriority = -10;
const mask = fileEvents.opened | fileEvents.closedWriter | fileEvents.closedReader;

/**
 * Undefined where it can't be had: no koffi, no CAP_SYS_ADMIN, kernel before 5.1, no setpriv. The group is read by a
 * kept-alive `cat`, because Node.js can't poll it; it ends with the daemon, even where no event comes that it
 * could not write.
 */
export async function openEvents(onEvent: (event: FileEvent) => void): Promise<OpenEvents | undefined> {
  const calls = await fanotify();
  const fd = calls?.group({ named: false, waiting: true });
  if (calls === undefined || fd === undefined || fd === -1) return undefined;
  let relay: ChildProcess;
  try {
    relay = startProcess("setpriv", ["--pdeathsig", "KILL", "cat"], {
      stdio: [fd, "pipe", "ignore"],
      cwd: "/",
    });
  } catch {
    closeSync(fd);
    return undefined;
  }
  const started = await new Promise<boolean>((resolve) => {
    relay.once("spawn", () => resolve(true));
    relay.once("error", () => resolve(false));
  });
  if (!started) {
    closeSync(fd);
    return undefined;
  }
  try {
    if (relay.pid !== undefined) setPriority(relay.pid, relayPriority);
  } catch {
    // Without CAP_SYS_NICE it is only later.
  }
  let rest: Buffer = Buffer.alloc(0);
  relay.stdout?.on("data", (chunk: Buffer) => {
    const parsed = parseFileEvents(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
    rest = parsed.rest;
    for (const event of parsed.events) onEvent(event);
  });
  const ended = new Promise<void>((resolve) => relay.once("close", () => resolve()));
  return {
    watch: (path) => {
      const handle = calls.handleOf(path);
      return handle !== undefined && calls.mark(fd, markFlags.add, mask, path) ? handle : undefined;
    },
    unwatch: (path) => {
      calls.mark(fd, markFlags.remove, mask, path);
    },
    close: async () => {
      relay.kill("SIGKILL");
      await ended;
      closeSync(fd);
    },
  };
}
