import type { LogOptions } from "../types.ts";
import { apiTimestamp, type LogLine, timestampMilliseconds } from "./cri-line.ts";

const newline = Buffer.from("\n");

/**
 * Turns log entries into the bytes that the API sends: entries of a line that the monitor had to cut are joined
 * again, those of another stream or before `sinceTime` left out, `timestamps` put before each line, and
 * everything after `limitBytes` cut off.
 */
export class LogWriter {
  readonly #options: Pick<LogOptions, "timestamps" | "sinceTime" | "stream" | "limitBytes">;
  readonly #midLine = { stdout: false, stderr: false };
  #remaining: number;
  #parts: Buffer[] = [];

  constructor(options: Pick<LogOptions, "timestamps" | "sinceTime" | "stream" | "limitBytes">) {
    this.#options = options;
    this.#remaining = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** True when `limitBytes` have been written and more would be in vain. */
  get isFull(): boolean {
    return this.#remaining <= 0;
  }

  write(line: LogLine): void {
    const { stream, sinceTime, timestamps } = this.#options;
    if (stream !== undefined && line.stream !== stream) return;
    if (sinceTime !== undefined && timestampMilliseconds(line.timestamp) < sinceTime) return;
    if (timestamps && !this.#midLine[line.stream]) this.#add(Buffer.from(`${apiTimestamp(line.timestamp)} `));
    this.#add(line.content);
    if (!line.isPartial) this.#add(newline);
    this.#midLine[line.stream] = line.isPartial;
  }

  /** What was written since the last call; undefined for nothing. */
  take(): Buffer | undefined {
    if (this.#parts.length === 0) return undefined;
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    return bytes;
  }

  #add(bytes: Buffer): void {
    const part = bytes.length > this.#remaining ? bytes.subarray(0, this.#remaining) : bytes;
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#remaining -= part.length;
  }
}
