import type { Duplex } from "node:stream";
import { encodeFrame, type Frame, FrameReader, resetStatus } from "./frames.ts";
import { HeaderReader, type Headers, HeaderWriter } from "./header-block.ts";
import { SpdyStream } from "./stream.ts";

/** More streams at once than this are refused; a port-forward needs two for each connection. */
const maxStreams = 2_000;
const closeMilliseconds = 5_000;

/**
 * A SPDY/3.1 connection over a byte stream, as Kubernetes' clients and servers use it for exec, attach and
 * port-forward: streams opened by the client, headers, data, half-close, reset, ping. Windows are neither kept nor
 * announced, because Kubernetes' own implementation (https://github.com/moby/spdystream) does not know them; a stream
 * that nobody reads holds back the whole connection once its buffer is full. Owns the byte stream.
 */
export class SpdyConnection {
  readonly #transport: Duplex;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #full = new Set<SpdyStream>();
  readonly #headerWriter = new HeaderWriter();
  readonly #headerReader = new HeaderReader();
  readonly #onStream: (stream: SpdyStream) => void;
  #nextID: number;
  #resume = () => {};
  #isClosed = false;
  /** Resolves when the connection has ended, for whatever reason; rejects never. */
  readonly closed: Promise<void>;

  /** `onStream` is called with each stream that the peer opens, before any of its data. */
  constructor(transport: Duplex, role: "client" | "server", onStream: (stream: SpdyStream) => void) {
    this.#transport = transport;
    this.#onStream = onStream;
    this.#nextID = role === "client" ? 1 : 2;
    transport.on("error", () => this.close());
    transport.on("close", () => this.close());
    this.closed = this.#serve().then(
      () => this.close(),
      () => this.close(),
    );
  }

  /** Opens a stream. What is written before the peer's answer is sent all the same. */
  open(headers: Headers): SpdyStream {
    const stream = this.#add(this.#nextID, headers);
    this.#nextID += 2;
    this.#send({
      type: "synStream",
      id: stream.id,
      isFinal: false,
      block: this.#headerWriter.write(headers),
    });
    return stream;
  }

  /** Ends the connection and destroys its streams. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#send({ type: "goAway" });
    this.#isClosed = true;
    for (const stream of [...this.#streams.values()]) stream.destroy();
    this.#transport.end(() => this.#transport.destroy());
    // A peer that takes nothing any more cannot hold the connection open.
    setTimeout(() => this.#transport.destroy(), closeMilliseconds).unref();
    this.#headerReader.close();
    this.#resume();
  }

  async #serve(): Promise<void> {
    const reader = new FrameReader();
    for await (const chunk of this.#transport as AsyncIterable<Buffer>) {
      for (const frame of reader.push(chunk)) await this.#receive(frame);
      while (this.#full.size > 0 && !this.#isClosed) {
        await new Promise<void>((resolve) => {
          this.#resume = resolve;
        });
      }
      if (this.#isClosed) return;
    }
  }

  async #receive(frame: Frame): Promise<void> {
    // Read even when nobody wants them: all header blocks are one compressed stream.
    const headers = "block" in frame ? await this.#headerReader.read(frame.block) : undefined;
    switch (frame.type) {
      case "synStream":
        return this.#accept(frame.id, headers ?? {}, frame.isFinal);
      case "data":
        return this.#deliver(frame.id, frame.data, frame.isFinal);
      case "synReply":
      case "headers":
        return this.#deliver(frame.id, Buffer.alloc(0), frame.isFinal);
      case "rstStream": {
        const stream = this.#streams.get(frame.id);
        this.#streams.delete(frame.id);
        stream?.destroy();
        return;
      }
      case "ping":
        // Only the peer's own are answered: its numbers have the other parity.
        if (frame.id % 2 !== this.#nextID % 2) this.#send(frame);
        return;
      case "goAway":
        // It opens no more streams; those that are open go on.
        return;
    }
  }

  #accept(id: number, headers: Headers, isFinal: boolean): void {
    if (this.#streams.has(id) || id % 2 === this.#nextID % 2) {
      throw new RangeError(`stream ${id} is not the peer's to open`);
    }
    if (this.#streams.size >= maxStreams) {
      this.#send({ type: "rstStream", id, status: resetStatus.refusedStream });
      return;
    }
    const stream = this.#add(id, headers);
    this.#send({ type: "synReply", id, isFinal: false, block: this.#headerWriter.write({}) });
    this.#onStream(stream);
    if (isFinal) this.#deliver(id, Buffer.alloc(0), true);
  }

  #deliver(id: number, data: Buffer, isFinal: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.destroyed || stream.readableEnded) return;
    if (data.length > 0 && !stream.push(data)) this.#full.add(stream);
    if (isFinal) {
      stream.push(null);
      // A stream of which only the writing side is used is never read, and so would never be seen to end.
      if (stream.readableLength === 0) stream.read(0);
    }
  }

  #add(id: number, headers: Headers): SpdyStream {
    const stream = new SpdyStream(id, headers, {
      send: (from, data, isFinal, done) => this.#send({ type: "data", id: from, data, isFinal }, done),
      reset: (from) => {
        // Not when the peer itself has reset it.
        if (this.#streams.has(from)) {
          this.#send({ type: "rstStream", id: from, status: resetStatus.cancel });
        }
      },
      drained: (from) => {
        if (this.#full.delete(from) && this.#full.size === 0) this.#resume();
      },
      forget: (from) => this.#streams.delete(from),
    });
    stream.on("error", () => {});
    this.#streams.set(id, stream);
    return stream;
  }

  #send(frame: Frame, done: (error?: Error | null) => void = () => {}): void {
    if (this.#isClosed || !this.#transport.writable) done(new Error("the connection is closed"));
    else this.#transport.write(encodeFrame(frame), done);
  }
}
