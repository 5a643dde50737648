import { libc } from "./libc.ts";

/**
 * The part of fanotify(7) that is needed here, and the file handles by which it names files. Groups report handles, never
 * open descriptors: to open a FIFO would release a blocked peer. No tool offers that.
 */
export interface Fanotify {
  /**
   * Makes a group and gives its descriptor, or -1 (`fanotify_init(2)`). `named`: events tell the folder and the name, too
   * (Linux 5.9). `waiting`: reading waits for an event; else it fails with EAGAIN.
   */
  group(options: { named: boolean; waiting: boolean }): number;
  /** `fanotify_mark(2)`; false where the kernel refuses. `path` is looked up, never opened. */
  mark(group: number, flags: number, events: number, path: string): boolean;
  /** The handle of the file that a path leads to (`name_to_handle_at(2)`); undefined where the file system has none. */
  handleOf(path: string): string | undefined;
  /**
   * A descriptor that only names a file (`O_PATH`, `open_by_handle_at(2)`), or -1 when the file is gone. `place` is a
   * descriptor of any folder on the same file system. The caller closes it.
   */
  openHandle(place: number, handle: string): number;
}

/** What happened to one file. One event may tell of several things that happened in a row. */
export interface FileEvent {
  /** Equal to {@link Fanotify.handleOf} of the file. */
  readonly handle: string;
  /** The folder and the name by which the file was opened; only of groups that are `named`. */
  readonly place: { readonly folder: string; readonly name: string } | undefined;
  /** Host PID; the process may be gone by now. */
  readonly pid: number;
  readonly opened: boolean;
  /** A descriptor that could write was closed. */
  readonly closedWriter: boolean;
  /** A descriptor that could only read was closed. */
  readonly closedReader: boolean;
}

/** Which events (linux/fanotify.h). */
export const fileEvents = { closedWriter: 0x8, closedReader: 0x10, opened: 0x20 } as const;
/** What a mark does (linux/fanotify.h). `ignore`: these events of this file are no longer told, also when it changes. */
export const markFlags = {
  add: 0x1,
  remove: 0x2,
  mount: 0x10,
  ignore: 0x20 | 0x40,
  forgetFiles: 0x80,
  /** The mark does not keep the file in memory (Linux 5.19). */
  evictable: 0x200,
} as const;

const closeOnExec = 0x1;
const nonBlocking = 0x2;
const reportHandles = 0x200;
const reportFolders = 0x400 | 0x800;
const currentFolder = -100; // AT_FDCWD
const handleOnlyToCompare = 0x200; // AT_HANDLE_FID, Linux 6.5
const maxHandleLength = 128; // MAX_HANDLE_SZ
const openPath = 0o10000000; // O_PATH

/** The calls; undefined where they can't be made (no koffi for this platform). */
export async function fanotify(): Promise<Fanotify | undefined> {
  const loaded = await libc();
  if (loaded === undefined) return undefined;
  const { func } = loaded;
  const init = func("int fanotify_init(unsigned int flags, unsigned int event_flags)");
  const markCall = func(
    "int fanotify_mark(int fd, unsigned int flags, uint64_t mask, int folder, const char *path)",
  );
  const nameToHandle = func(
    "int name_to_handle_at(int folder, const char *path, void *handle, _Out_ int *mount, int flags)",
  );
  const openByHandle = func("int open_by_handle_at(int mount, void *handle, int flags)");
  return {
    group: ({ named, waiting }) =>
      init(closeOnExec | reportHandles | (named ? reportFolders : 0) | (waiting ? 0 : nonBlocking), 0),
    mark: (group, flags, events, path) => markCall(group, flags, events, currentFolder, path) === 0,
    handleOf(path) {
      for (const flags of [handleOnlyToCompare, 0]) {
        const buffer = Buffer.alloc(8 + maxHandleLength);
        buffer.writeUInt32LE(maxHandleLength, 0);
        if (nameToHandle(currentFolder, path, buffer, [0], flags) === 0) {
          return buffer.subarray(4, 8 + buffer.readUInt32LE(0)).toString("hex");
        }
      }
      return undefined;
    },
    openHandle(place, handle) {
      const typeAndBytes = Buffer.from(handle, "hex");
      const buffer = Buffer.alloc(4 + typeAndBytes.length);
      buffer.writeUInt32LE(typeAndBytes.length - 4, 0);
      typeAndBytes.copy(buffer, 4);
      return openByHandle(place, buffer, openPath);
    },
  };
}

const metadataLength = 24;
const recordOfFile = 1; // FAN_EVENT_INFO_TYPE_FID
const recordOfPlace = 2; // FAN_EVENT_INFO_TYPE_DFID_NAME
const queueOverflow = 0x4000;

/**
 * Parses what read(2) of a group's descriptor gave: struct fanotify_event_metadata, and behind each its records. `rest` is
 * the beginning of an event that goes on in the next read; `lost`: the kernel's queue was full and events are missing.
 */
export function parseFileEvents(data: Buffer): { events: FileEvent[]; rest: Buffer; lost: boolean } {
  const events: FileEvent[] = [];
  let lost = false;
  let offset = 0;
  while (data.length - offset >= metadataLength) {
    const length = data.readUInt32LE(offset);
    if (length < metadataLength || data.length - offset < length) break;
    const mask = Number(data.readBigUInt64LE(offset + 8));
    lost ||= (mask & queueOverflow) !== 0;
    const records = parseRecords(data.subarray(offset + metadataLength, offset + length));
    if (records.file !== undefined) {
      events.push({
        handle: records.file,
        place: records.place,
        pid: data.readInt32LE(offset + 20),
        opened: (mask & fileEvents.opened) !== 0,
        closedWriter: (mask & fileEvents.closedWriter) !== 0,
        closedReader: (mask & fileEvents.closedReader) !== 0,
      });
    }
    offset += length;
  }
  return { events, rest: Buffer.from(data.subarray(offset)), lost };
}

/** Each record: its type and length (4 bytes), the file system's id (8), struct file_handle, and for a place a name. */
function parseRecords(data: Buffer): { file: string | undefined; place: FileEvent["place"] } {
  let file: string | undefined;
  let place: FileEvent["place"];
  for (let offset = 0; data.length - offset >= 20; ) {
    const length = data.readUInt16LE(offset + 2);
    const handleEnd = offset + 20 + data.readUInt32LE(offset + 12);
    const handle = data.subarray(offset + 16, handleEnd).toString("hex");
    const type = data.readUInt8(offset);
    if (type === recordOfFile) file = handle;
    if (type === recordOfPlace) {
      const name = data.toString("utf8", handleEnd, offset + length);
      place = { folder: handle, name: name.slice(0, Math.max(0, name.indexOf("\0"))) };
    }
    if (length === 0) break;
    offset += length;
  }
  return { file, place };
}
