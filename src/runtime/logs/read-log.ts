import { createReadStream } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import type { Scope } from "../../base/scope.ts";
import { isGone } from "../../host/files.ts";
import type { LogOptions } from "../types.ts";
import { parseLogLine } from "./cri-line.ts";
import { rotatedLogs, withoutGzip } from "./log-files.ts";
import { LogWriter } from "./log-writer.ts";
import { type LogPlace, tailPlace } from "./tail.ts";
import { Wakeup } from "./wakeup.ts";

/** What the reader must know of the container that writes the log. */
export interface LogWriterState {
  /** Whether it has ended, so that the log is complete. */
  isOver(): boolean;
  /** Calls `listener` when that may have changed; returns how to stop. */
  onChange(listener: () => void): () => void;
  /** Called once it is settled with which line reading begins; what is written from then on is read. */
  onPlaced?(): void;
}

const chunkBytes = 64 * 1024;

/** See `RuntimeService.readLog`. A log that does not exist is empty. */
export async function* readLog(
  logPath: string,
  options: LogOptions,
  state: LogWriterState,
  scope: Scope,
): AsyncGenerator<Uint8Array> {
  const writer = new LogWriter(options);
  using wakeup = new Wakeup(options.follow ? logPath : undefined, state, scope.signal);
  // The current file is opened before the older ones are listed: a rotation between the two shows a part twice
  // in the list at worst, which its inode tells, and never hides one.
  const opened = await openNewest(logPath);
  let current = opened?.file;
  try {
    const older = await olderParts(logPath, current);
    const place = startPlace([...older, ...(opened === undefined ? [] : [opened.path])], options);
    state.onPlaced?.();
    for (const [index, path] of older.entries()) {
      if (index < place.file) continue;
      yield* finishedPart(path, index === place.file ? place.offset : 0, writer);
      if (writer.isFull) return;
    }
    const read = new Set(older.map(withoutGzip));
    let offset = place.file === older.length ? place.offset : 0;
    for (;;) {
      const isOver = state.isOver();
      const seen = wakeup.count;
      if (current !== undefined) {
        offset = yield* partToItsEnd(current, offset, writer);
        if (writer.isFull) return;
      }
      if (await isReplaced(logPath, current)) {
        // Complete only now: until the new file stood there, the monitor wrote to the old one.
        if (current !== undefined) {
          yield* partToItsEnd(current, offset, writer);
          const own = await ownRotatedPath(logPath, current, read);
          if (own !== undefined) read.add(own);
          await current.close();
        }
        current = await openIfExists(logPath);
        for (const path of await olderParts(logPath, current)) {
          if (read.has(withoutGzip(path))) continue;
          read.add(withoutGzip(path));
          yield* finishedPart(path, 0, writer);
        }
        offset = 0;
        continue;
      }
      if (!options.follow || isOver || scope.signal.aborted) return;
      await wakeup.after(seen);
    }
  } finally {
    await current?.close();
  }
}

function startPlace(files: readonly string[], options: LogOptions): LogPlace {
  if (options.tailLines === undefined) return { file: 0, offset: 0 };
  return tailPlace(files, options.tailLines, options.stream);
}

/** Rotated parts without the one that `current` still has open, should it have been renamed meanwhile. */
async function olderParts(logPath: string, current: FileHandle | undefined): Promise<readonly string[]> {
  const parts: string[] = [];
  const own = await current?.stat();
  for (const path of rotatedLogs(logPath)) {
    const found = await statIfExists(path);
    if (found !== undefined && found.ino !== own?.ino) parts.push(path);
  }
  return parts;
}

/** The name that the open file was given at its rotation; the oldest unread one when it is compressed already. */
async function ownRotatedPath(
  logPath: string,
  current: FileHandle,
  read: ReadonlySet<string>,
): Promise<string | undefined> {
  const own = await current.stat();
  const unread = rotatedLogs(logPath).filter((path) => !read.has(withoutGzip(path)));
  for (const path of unread) {
    if ((await statIfExists(path))?.ino === own.ino) return withoutGzip(path);
  }
  return unread[0] === undefined ? undefined : withoutGzip(unread[0]);
}

/** Whether the log's name leads to another file than the open one (or to one at all where none was open). */
async function isReplaced(logPath: string, current: FileHandle | undefined): Promise<boolean> {
  const found = await statIfExists(logPath);
  if (found === undefined) return false;
  return current === undefined || found.ino !== (await current.stat()).ino;
}

async function* finishedPart(
  path: string,
  offset: number,
  writer: LogWriter,
): AsyncGenerator<Uint8Array, void> {
  const isCompressed = path.endsWith(".gz");
  const file = createReadStream(path, isCompressed ? {} : { start: offset });
  const lines = new LineSplitter();
  let skip = isCompressed ? offset : 0;
  try {
    for await (const chunk of (isCompressed ? file.pipe(createGunzip()) : file) as AsyncIterable<Buffer>) {
      const wanted = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - wanted.length;
      for (const line of lines.push(wanted)) writeLine(line, writer);
      const bytes = writer.take();
      if (bytes !== undefined) yield bytes;
      if (writer.isFull) return;
    }
  } catch (error) {
    if (!isGone(error)) throw error;
    // Between listing and reading it was compressed, or deleted as the oldest part.
    if (!isCompressed) yield* finishedPart(`${path}.gz`, offset, writer);
  } finally {
    file.destroy();
  }
}

/** Yields what the file has from `offset` on; returns the offset after the last whole line. */
async function* partToItsEnd(
  file: FileHandle,
  offset: number,
  writer: LogWriter,
): AsyncGenerator<Uint8Array, number> {
  const lines = new LineSplitter();
  const buffer = Buffer.alloc(chunkBytes);
  for (let position = offset; ; ) {
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, position);
    if (bytesRead === 0) return position - lines.pendingBytes;
    position += bytesRead;
    for (const line of lines.push(Buffer.from(buffer.subarray(0, bytesRead)))) writeLine(line, writer);
    const bytes = writer.take();
    if (bytes !== undefined) yield bytes;
    if (writer.isFull) return position;
  }
}

function writeLine(line: Buffer, writer: LogWriter): void {
  const entry = parseLogLine(line);
  if (entry !== undefined) writer.write(entry);
}

/** Cuts a stream of bytes into lines. */
class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  get pendingBytes(): number {
    return this.#rest.length;
  }

  push(chunk: Buffer): readonly Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return lines;
  }
}

/** The file to which the monitor writes: in the middle of a rotation, until it has made the new one, the renamed one. */
async function openNewest(logPath: string): Promise<{ file: FileHandle; path: string } | undefined> {
  const current = await openIfExists(logPath);
  if (current !== undefined) return { file: current, path: logPath };
  // Listed only now: what is rotated from here on is the newest.
  const newest = rotatedLogs(logPath).at(-1);
  for (const path of newest === undefined || newest.endsWith(".gz") ? [logPath] : [newest, logPath]) {
    const file = await openIfExists(path);
    if (file !== undefined) return { file, path };
  }
  return undefined;
}

async function openIfExists(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function statIfExists(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
