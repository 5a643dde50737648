import type { ChildProcess } from "node:child_process";
import { closeSync, readSync } from "node:fs";
import { setPriority } from "node:os";
import { startProcess } from "./child-process.ts";
import { libc } from "./libc.ts";

/** Somebody opened or closed a watched file. One event may tell of several things that happened in a row. */
export interface OpenEvent {
  /** What {@link OpenEvents.watch} gave for the file. */
  readonly handle: string;
  /** Host PID; the process may be gone by now. */
  readonly pid: number;
  readonly opened: boolean;
  /** A descriptor that could write was closed. */
  readonly closedWriter: boolean;
  /** A descriptor that could only read was closed. */
  readonly closedReader: boolean;
}

/** Who opens and closes given files, told by the kernel as it happens. */
export interface OpenEvents {
  /** Starts to watch a file (no open, no descriptor is kept on it); undefined where the file system can't. */
  watch(path: string): string | undefined;
  unwatch(path: string): void;
  /**
   * Tells of every file that is opened through one mount, which `path` leads to: who opened it is then known by
   * the mount, even when the process is gone. Costs the users of the mount something at each open, so it is for
   * moments. Undefined where it can't be had.
   */
  throughMount(path: string): MountOpens | undefined;
  close(): Promise<void>;
}

/** Opens through one mount, kept by the kernel until they are drained; at most 16384. */
export interface MountOpens {
  drain(): OpenEvent[];
  close(): void;
}

// linux/fanotify.h
const initFlags =
  0x1 /* FAN_CLOEXEC */ | 0x200; /* FAN_REPORT_FID: events carry handles, not open descriptors */
const initNonBlocking = 0x2; // FAN_NONBLOCK
const markAdd = 0x1;
const markMount = 0x10;
const markRemove = 0x2;
const open = 0x20;
const closeWrite = 0x8;
const closeNoWrite = 0x10;
const currentFolder = -100; // AT_FDCWD
const metadataLength = 24;
const informationIsFID = 1;
const handleOnlyToCompare = 0x200; // AT_HANDLE_FID, Linux 6.5
const maxHandleLength = 128; // MAX_HANDLE_SZ
/** The processes in question live for less than a millisecond; the relay itself does next to nothing. */
const relayPriority = -10;

/**
 * fanotify(7) through libc, which no tool offers without opening the watched files (and an opened FIFO would
 * release a blocked peer). Undefined where it can't be had: no koffi, no CAP_SYS_ADMIN, kernel before 5.1, no setpriv.
 * The descriptor is read by a kept-alive `cat`, because Node.js can't poll it; it ends with the
 * daemon, even where no event comes that it could not write.
 */
export async function openEvents(onEvent: (event: OpenEvent) => void): Promise<OpenEvents | undefined> {
  const loaded = await libc();
  if (loaded === undefined) return undefined;
  const { func } = loaded;
  const init = func("int fanotify_init(unsigned int flags, unsigned int event_flags)");
  const mark = func(
    "int fanotify_mark(int fd, unsigned int flags, uint64_t mask, int folder, const char *path)",
  );
  const nameToHandle = func(
    "int name_to_handle_at(int folder, const char *path, void *handle, _Out_ int *mount, int flags)",
  );

  const fd: number = init(initFlags, 0);
  if (fd === -1) return undefined;
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
    const parsed = parseOpenEvents(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
    rest = parsed.rest;
    for (const event of parsed.events) onEvent(event);
  });
  const ended = new Promise<void>((resolve) => relay.once("close", () => resolve()));

  const handleOf = (path: string): string | undefined => {
    for (const flags of [handleOnlyToCompare, 0]) {
      const buffer = Buffer.alloc(8 + maxHandleLength);
      buffer.writeUInt32LE(maxHandleLength, 0);
      if (nameToHandle(currentFolder, path, buffer, [0], flags) === 0) {
        return buffer.subarray(4, 8 + buffer.readUInt32LE(0)).toString("hex");
      }
    }
    return undefined;
  };
  const mask = open | closeWrite | closeNoWrite;
  return {
    watch: (path) => {
      const handle = handleOf(path);
      if (handle === undefined) return undefined;
      return mark(fd, markAdd, mask, currentFolder, path) === 0 ? handle : undefined;
    },
    unwatch: (path) => {
      mark(fd, markRemove, mask, currentFolder, path);
    },
    throughMount: (path) => {
      const own: number = init(initFlags | initNonBlocking, 0);
      if (own === -1) return undefined;
      if (mark(own, markAdd | markMount, mask, currentFolder, path) !== 0) {
        closeSync(own);
        return undefined;
      }
      return { drain: () => drain(own), close: () => closeSync(own) };
    },
    close: async () => {
      relay.kill("SIGKILL");
      await ended;
      closeSync(fd);
    },
  };
}

function drain(fd: number): OpenEvent[] {
  const events: OpenEvent[] = [];
  const buffer = Buffer.alloc(65_536);
  for (;;) {
    try {
      const length = readSync(fd, buffer);
      events.push(...parseOpenEvents(buffer.subarray(0, length)).events);
    } catch {
      // EAGAIN: nothing more.
      return events;
    }
  }
}

/** Parses what read(2) of a fanotify descriptor gave (struct fanotify_event_metadata and its records). */
export function parseOpenEvents(data: Buffer): { events: OpenEvent[]; rest: Buffer } {
  const events: OpenEvent[] = [];
  let offset = 0;
  while (data.length - offset >= metadataLength) {
    const length = data.readUInt32LE(offset);
    if (length < metadataLength || data.length - offset < length) break;
    const mask = Number(data.readBigUInt64LE(offset + 8));
    const pid = data.readInt32LE(offset + 20);
    const information = offset + metadataLength;
    if (length >= metadataLength + 20 && data.readUInt8(information) === informationIsFID) {
      // Behind the record's header (4 bytes) and the file system's id (8) stands the struct file_handle.
      const handle = information + 12;
      const handleLength = data.readUInt32LE(handle);
      events.push({
        handle: data.subarray(handle + 4, handle + 8 + handleLength).toString("hex"),
        pid,
        opened: (mask & open) !== 0,
        closedWriter: (mask & closeWrite) !== 0,
        closedReader: (mask & closeNoWrite) !== 0,
      });
    }
    offset += length;
  }
  return { events, rest: Buffer.from(data.subarray(offset)) };
}
