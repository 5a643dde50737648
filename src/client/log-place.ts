const newline = 0x0a;
const space = 0x20;

/** A line of a log: the nth of those with its time, and how much of it has come out. */
interface Line {
  readonly time: string;
  readonly index: number;
  readonly bytes: number;
}

/**
 * How far a log with `timestamps` has been read, to the byte: {@link resume} after a broken connection has what came
 * before left out, however much of it comes again.
 */
export class LogPlace {
  readonly #keepsTimes: boolean;
  #line: Line | undefined;
  /** Where the lines before the break ended, until that place is passed. */
  #target: Line | undefined;
  #isMidLine = false;
  /** The beginning of a line whose time is not complete yet. */
  #held: Buffer = Buffer.alloc(0);

  constructor(options: { keepTimes: boolean }) {
    this.#keepsTimes = options.keepTimes;
  }

  /** The time from which the log has to be read again; undefined before the first line. */
  get time(): string | undefined {
    return this.#line?.time ?? this.#target?.time;
  }

  /** What follows comes from a new connection, which begins at {@link time} or before. */
  resume(): void {
    this.#target = this.#line ?? this.#target;
    this.#line = undefined;
    this.#isMidLine = false;
    this.#held = Buffer.alloc(0);
  }

  /** What of the next bytes is new, without the times unless they are wanted. */
  *take(chunk: Uint8Array): Generator<Buffer, void, undefined> {
    let bytes = Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    while (bytes.length > 0) {
      if (!this.#isMidLine) {
        const end = bytes.findIndex((byte) => byte === space || byte === newline);
        if (end === -1) {
          this.#held = bytes;
          return;
        }
        const word = bytes.toString("latin1", 0, end);
        const isTime = bytes[end] === space && /^\d{4}-\d\d-\d\dT/.test(word);
        this.#begin(isTime ? word : (this.time ?? ""));
        if (isTime && this.#keepsTimes) yield* this.#news(bytes.subarray(0, end + 1));
        if (isTime) bytes = bytes.subarray(end + 1);
      }
      const end = bytes.indexOf(newline);
      const part = end === -1 ? bytes : bytes.subarray(0, end + 1);
      this.#isMidLine = end === -1;
      yield* this.#news(part);
      bytes = bytes.subarray(part.length);
    }
  }

  #begin(time: string): void {
    const index = this.#line?.time === time ? this.#line.index + 1 : 0;
    this.#line = { time, index, bytes: 0 };
    this.#isMidLine = true;
  }

  *#news(part: Buffer): Generator<Buffer, void, undefined> {
    const line = this.#line;
    if (line === undefined) return;
    this.#line = { ...line, bytes: line.bytes + part.length };
    const known = this.#target === undefined ? 0 : knownBytes(line, this.#target);
    if (known === 0) this.#target = undefined;
    const fresh = part.subarray(Math.min(Math.max(known - line.bytes, 0), part.length));
    if (fresh.length > 0) yield fresh;
  }
}

/** How many bytes of the line came out before the break. */
function knownBytes(line: Line, target: Line): number {
  const order = compareTimes(line.time, target.time) || line.index - target.index;
  if (order === 0) return target.bytes;
  return order < 0 ? Number.POSITIVE_INFINITY : 0;
}

/** RFC 3339 with nanoseconds, of which Date keeps milliseconds. */
function compareTimes(one: string, other: string): number {
  if (one === other) return 0;
  return Date.parse(one) - Date.parse(other) || (one < other ? -1 : 1);
}
