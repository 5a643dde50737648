import { Duplex } from "node:stream";
import type { Headers } from "./header-block.ts";

/** How a stream reaches its connection. */
export interface StreamPort {
  /** Sends data, or with `isFinal` the end of this side's; calls back when they have left. */
  send(id: number, data: Buffer, isFinal: boolean, done: (error?: Error | null) => void): void;
  /** Tells the peer that nobody reads or writes the stream any more. */
  reset(id: number): void;
  /** Somebody reads again from a stream whose buffer was full, or nobody ever will. */
  drained(stream: SpdyStream): void;
  forget(id: number): void;
}

/** What a stream may hold unread before the whole connection waits: there is no flow control of single streams. */
const bufferBytes = 1024 * 1024;

/**
 * One stream of a connection. Each side ends by itself (`end`); `destroy` before both have ended resets the stream.
 * `headers` are those that opened it.
 */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #port: StreamPort;

  constructor(id: number, headers: Headers, port: StreamPort) {
    super({ allowHalfOpen: true, readableHighWaterMark: bufferBytes });
    this.id = id;
    this.headers = headers;
    this.#port = port;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#port.send(this.id, chunk, false, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#port.send(this.id, Buffer.alloc(0), true, done);
  }

  override _read(): void {
    this.#port.drained(this);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.readableEnded || !this.writableFinished) this.#port.reset(this.id);
    this.#port.forget(this.id);
    this.#port.drained(this);
    done(error);
  }
}
