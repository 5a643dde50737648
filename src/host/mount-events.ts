import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { type Fanotify, type FileEvent, fileEvents, markFlags, parseFileEvents } from "./fanotify.ts";
import { type FileFacts, fileFacts, readProcFile } from "./proc.ts";

const mostEvents = 32_768;

/**
 * Who has opened which files through some mounts and closed them, kept by the kernel until it is asked for: nobody has to
 * wait for that, and it was through one of these mounts even when the process is gone. A container sees volumes through
 * mounts of its own. A close costs its process about a microsecond; one that is ignored a tenth of that.
 */
export class MountEvents {
  readonly #calls: Fanotify;
  readonly #group: number;

  /** Undefined where the kernel gives no group: before Linux 5.9, or too many of them (`fs.fanotify.max_user_groups`). */
  static make(calls: Fanotify): MountEvents | undefined {
    const group = calls.group({ named: true, waiting: false });
    return group === -1 ? undefined : new MountEvents(calls, group);
  }

  private constructor(calls: Fanotify, group: number) {
    this.#calls = calls;
    this.#group = group;
  }

  /** Has the closes of files told that are opened through the mount that `path` leads to; false where it can't be had. */
  watch(path: string): boolean {
    const { add, mount } = markFlags;
    return this.#calls.mark(
      this.#group,
      add | mount,
      fileEvents.closedWriter | fileEvents.closedReader,
      path,
    );
  }

  /** The opposite of {@link watch}. */
  unwatch(path: string): void {
    const { remove, mount } = markFlags;
    this.#calls.mark(this.#group, remove | mount, fileEvents.closedWriter | fileEvents.closedReader, path);
  }

  /** What happened since the last time. `lost`: there was more than the kernel keeps (16384 events, as a rule). */
  take(): { events: FileEvent[]; lost: boolean } {
    const events: FileEvent[] = [];
    const buffer = Buffer.alloc(65_536);
    let lost = false;
    // Whoever goes on making events must not keep the reader for ever.
    while (events.length < mostEvents) {
      let length: number;
      try {
        length = readSync(this.#group, buffer);
      } catch {
        // EAGAIN: nothing more.
        break;
      }
      const parsed = parseFileEvents(buffer.subarray(0, length));
      events.push(...parsed.events);
      lost ||= parsed.lost;
    }
    return { events, lost };
  }

  /** What is already known of a file is not told again, until {@link tellAgain}. `path` may be one of /proc/self/fd. */
  ignore(path: string, { closedWriter, closedReader }: FileEvent): void {
    const events =
      (closedWriter ? fileEvents.closedWriter : 0) | (closedReader ? fileEvents.closedReader : 0);
    const { add, ignore, evictable } = markFlags;
    if (this.#calls.mark(this.#group, add | ignore | evictable, events, path)) return;
    this.#calls.mark(this.#group, add | ignore, events, path);
  }

  tellAgain(): void {
    this.#calls.mark(this.#group, markFlags.forgetFiles, 0, "/");
  }

  close(): void {
    closeSync(this.#group);
  }
}

/** How many groups the user of this process may have: `fs.fanotify.max_user_groups`, or its default. */
export function maxGroups(): number {
  const value = Number(readProcFile("/proc/sys/fs/fanotify/max_user_groups") ?? Number.NaN);
  return Number.isNaN(value) ? 128 : value;
}

/** A file that a handle names, as it is now. */
export interface NamedFile {
  readonly facts: FileFacts;
  /** Its path below the folder, empty for the folder itself; undefined when it is elsewhere, or has no name any more. */
  readonly inside: string | undefined;
}

/**
 * Calls `action` with the file on `folder`'s file system that a handle names, and a path that leads to it for that
 * time. Undefined when either is gone, or `folder` is none.
 */
export function withNamedFile<T>(
  calls: Fanotify,
  folder: string,
  handle: string,
  action: (file: NamedFile, path: string) => T,
): T | undefined {
  const place = openFolder(folder);
  if (place === undefined) return undefined;
  try {
    const fd = calls.openHandle(place, handle);
    if (fd === -1) return undefined;
    try {
      const link = linkOf(fd);
      const path = readlinkSync(link);
      // The folder's own path may be spelled with symbolic links.
      const top = readlinkSync(linkOf(place));
      const isInside = (path === top || path.startsWith(`${top}/`)) && !path.endsWith(" (deleted)");
      const inside = isInside ? path.slice(top.length) : undefined;
      return action({ facts: fileFacts(fstatSync(fd, { bigint: true })), inside }, link);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(place);
  }
}

function linkOf(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Never opens what is no folder, above all no FIFO. */
function openFolder(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return undefined;
  }
}
