/** One line of a log in the format of the container runtime interface: `TIME STREAM TAG TEXT`. */
export interface LogLine {
  /** RFC 3339 with nanoseconds, as the monitor wrote it. */
  readonly timestamp: string;
  readonly stream: "stdout" | "stderr";
  /** The container's own line goes on in the next entry of this stream. */
  readonly isPartial: boolean;
  /** Without the newline. */
  readonly content: Buffer;
}

const space = 0x20;

/** Reads a line without its newline; undefined when it is not in the format (torn by a crash, for instance). */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const timeEnd = line.indexOf(space);
  const streamEnd = line.indexOf(space, timeEnd + 1);
  if (timeEnd <= 0 || streamEnd === -1) return undefined;
  const tagEnd = line.indexOf(space, streamEnd + 1);
  const stream = line.toString("latin1", timeEnd + 1, streamEnd);
  // Tags are separated by colons; only the first has a meaning.
  const tag = line.toString("latin1", streamEnd + 1, tagEnd === -1 ? line.length : tagEnd).split(":")[0];
  if ((stream !== "stdout" && stream !== "stderr") || (tag !== "P" && tag !== "F")) return undefined;
  return {
    timestamp: line.toString("latin1", 0, timeEnd),
    stream,
    isPartial: tag === "P",
    content: tagEnd === -1 ? Buffer.alloc(0) : line.subarray(tagEnd + 1),
  };
}

/** Milliseconds since the epoch; fractions of a millisecond are dropped. */
export function timestampMilliseconds(timestamp: string): number {
  return Date.parse(timestamp.replace(/(\.\d{3})\d+/, "$1"));
}

/** The timestamp as the API prints it: `Z` for UTC. */
export function apiTimestamp(timestamp: string): string {
  return timestamp.replace(/[+-]00:00$/, "Z");
}
