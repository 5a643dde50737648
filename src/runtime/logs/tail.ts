import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { isGone } from "../../host/files.ts";
import type { LogOptions } from "../types.ts";
import { parseLogLine } from "./cri-line.ts";

/** A place in a log that consists of several files: which of them, and the offset in its uncompressed content. */
export interface LogPlace {
  readonly file: number;
  readonly offset: number;
}

const chunkBytes = 64 * 1024;
const newlineByte = 0x0a;

/**
 * Where the last `count` lines begin. `files` are the log's parts, oldest first; they are read backwards, and no
 * further than needed. Lines that were cut into several entries count once, and an unfinished last line counts.
 */
export function tailPlace(files: readonly string[], count: number, stream: LogOptions["stream"]): LogPlace {
  let lines = 0;
  let sawEntry = false;
  for (let file = files.length - 1; file >= 0; file -= 1) {
    for (const { line, end } of linesBackwards(files[file] ?? "")) {
      const entry = parseLogLine(line);
      if (entry === undefined || (stream !== undefined && entry.stream !== stream)) continue;
      const endsLine = !entry.isPartial || !sawEntry;
      if (endsLine && lines === count) return { file, offset: end };
      if (endsLine) lines += 1;
      sawEntry = true;
    }
  }
  return { file: 0, offset: 0 };
}

/** A part that was compressed since it was listed is found under its new name; a deleted one is empty. */
function openPart(path: string): PartSource {
  try {
    return openSource(path);
  } catch (error) {
    if (!isGone(error)) throw error;
    return path.endsWith(".gz") ? emptySource : openPart(`${path}.gz`);
  }
}

/** The finished lines of a file from the last to the first, each with the offset of what follows it. */
function* linesBackwards(path: string): Generator<{ line: Buffer; end: number }> {
  const source = openPart(path);
  try {
    // What was read of the line that began before the last chunk.
    let rest: Buffer = Buffer.alloc(0);
    let lineEnd: number | undefined;
    for (let position = source.size; position > 0; ) {
      const start = Math.max(0, position - chunkBytes);
      const chunk = source.read(start, position - start);
      let end = chunk.length;
      for (
        let at = chunk.lastIndexOf(newlineByte);
        at !== -1;
        at = at === 0 ? -1 : chunk.lastIndexOf(newlineByte, at - 1)
      ) {
        if (lineEnd !== undefined)
          yield { line: Buffer.concat([chunk.subarray(at + 1, end), rest]), end: lineEnd };
        rest = Buffer.alloc(0);
        lineEnd = start + at + 1;
        end = at;
      }
      rest = Buffer.concat([chunk.subarray(0, end), rest]);
      position = start;
    }
    if (lineEnd !== undefined) yield { line: rest, end: lineEnd };
  } finally {
    source.close();
  }
}

interface PartSource {
  readonly size: number;
  read(offset: number, length: number): Buffer;
  close(): void;
}

const emptySource: PartSource = { size: 0, read: () => Buffer.alloc(0), close: () => {} };

function openSource(path: string): PartSource {
  if (path.endsWith(".gz")) {
    const content = gunzipSync(readFileSync(path));
    return {
      size: content.length,
      read: (offset, length) => content.subarray(offset, offset + length),
      close: () => {},
    };
  }
  const fd = openSync(path, "r");
  return {
    size: fstatSync(fd).size,
    read: (offset, length) => {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(fd, buffer, 0, length, offset));
    },
    close: () => closeSync(fd),
  };
}
