import type { Readable } from "node:stream";
import { PeapodError } from "../base/errors.ts";

/** Takes lines and counted bytes from a stream. Fails with `NodeUnreachable` when the stream ends too early. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next line without its CRLF (or LF), read as Latin-1 as HTTP's head is. */
  async line(): Promise<string> {
    let end = this.#buffer.indexOf(10);
    while (end < 0) {
      await this.#more();
      end = this.#buffer.indexOf(10);
    }
    const line = this.#buffer.toString("latin1", 0, end);
    this.#buffer = this.#buffer.subarray(end + 1);
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }

  /** The next `count` bytes, in pieces as they arrive. */
  async *bytes(count: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = count; left > 0; ) {
      if (this.#buffer.length === 0) await this.#more();
      const piece = this.#buffer.subarray(0, left);
      this.#buffer = this.#buffer.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Everything up to the end of the stream. */
  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      if (this.#buffer.length > 0) yield this.#buffer;
      const next = await this.#chunks.next();
      if (next.done === true) return;
      this.#buffer = next.value;
    }
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done === true) throw new PeapodError("NodeUnreachable", "the answer ended too early");
    this.#buffer = this.#buffer.length === 0 ? next.value : Buffer.concat([this.#buffer, next.value]);
  }
}
