/**
 * Frames of SPDY/3.1 (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/, section 2.2). Header
 * blocks are still compressed here.
 */
export type Frame =
  | {
      readonly type: "synStream";
      readonly id: number;
      readonly isFinal: boolean;
      readonly block: Uint8Array;
    }
  | { readonly type: "synReply"; readonly id: number; readonly isFinal: boolean; readonly block: Uint8Array }
  | { readonly type: "headers"; readonly id: number; readonly isFinal: boolean; readonly block: Uint8Array }
  /** A part of a data frame; `isFinal` at most in its last part. */
  | { readonly type: "data"; readonly id: number; readonly isFinal: boolean; readonly data: Buffer }
  | { readonly type: "rstStream"; readonly id: number; readonly status: number }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "goAway" };

const version = 3;
const kinds = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

const finalFlag = 1;
const headBytes = 8;
/** Control frames hold header blocks at most; data frames may be as long as their length field allows. */
const maxControlBytes = 64 * 1024;
const maxFrameBytes = 0xffffff;

/** Status codes of RST_STREAM. */
export const resetStatus = { protocolError: 1, refusedStream: 3, cancel: 5 } as const;

/** Takes a byte stream apart. Throws (RangeError) for what is not SPDY/3: the connection is lost then. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  /** The data frame of which a part is still to come. */
  #open: { id: number; isFinal: boolean; left: number } | undefined;

  *push(chunk: Buffer): Generator<Frame> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (this.#open !== undefined) {
        const data = bytes.subarray(0, this.#open.left);
        bytes = bytes.subarray(data.length);
        this.#open.left -= data.length;
        const { id, isFinal, left } = this.#open;
        if (left === 0) this.#open = undefined;
        if (data.length > 0 || (left === 0 && isFinal)) {
          yield { type: "data", id, isFinal: isFinal && left === 0, data };
        }
        if (left > 0) break;
      }
      if (bytes.length < headBytes) break;
      const word = bytes.readUInt32BE(0);
      const flags = bytes[4] ?? 0;
      const length = bytes.readUIntBE(5, 3);
      if (word < 0x8000_0000) {
        this.#open = { id: word, isFinal: (flags & finalFlag) !== 0, left: length };
        bytes = bytes.subarray(headBytes);
        continue;
      }
      if (((word >>> 16) & 0x7fff) !== version) throw new RangeError("not a SPDY/3 frame");
      if (length > maxControlBytes) throw new RangeError(`control frame of ${length} bytes`);
      if (bytes.length < headBytes + length) break;
      const body = bytes.subarray(headBytes, headBytes + length);
      bytes = bytes.subarray(headBytes + length);
      const frame = controlFrame(word & 0xffff, (flags & finalFlag) !== 0, body);
      if (frame !== undefined) yield frame;
    }
    this.#rest = bytes;
  }
}

/** Undefined for kinds that mean nothing here: SETTINGS, WINDOW_UPDATE and those not known. */
function controlFrame(kind: number, isFinal: boolean, body: Buffer): Frame | undefined {
  const id = () => body.readUInt32BE(0) & 0x7fff_ffff;
  switch (kind) {
    case kinds.synStream:
      return { type: "synStream", id: id(), isFinal, block: body.subarray(10) };
    case kinds.synReply:
      return { type: "synReply", id: id(), isFinal, block: body.subarray(4) };
    case kinds.headers:
      return { type: "headers", id: id(), isFinal, block: body.subarray(4) };
    case kinds.rstStream:
      return { type: "rstStream", id: id(), status: body.readUInt32BE(4) };
    case kinds.ping:
      return { type: "ping", id: body.readUInt32BE(0) };
    case kinds.goAway:
      return { type: "goAway" };
    default:
      return undefined;
  }
}

/** The bytes of a frame; data are at most 16 MiB. */
export function encodeFrame(frame: Frame): Buffer {
  switch (frame.type) {
    case "data": {
      const head = Buffer.alloc(headBytes);
      head.writeUInt32BE(frame.id, 0);
      writeLength(head, frame.isFinal, frame.data.length);
      return Buffer.concat([head, frame.data]);
    }
    // No associated stream, highest priority.
    case "synStream":
      return control(kinds.synStream, frame.isFinal, [uint32(frame.id), Buffer.alloc(6), frame.block]);
    case "synReply":
    case "headers":
      return control(kinds[frame.type], frame.isFinal, [uint32(frame.id), frame.block]);
    case "rstStream":
      return control(kinds.rstStream, false, [uint32(frame.id), uint32(frame.status)]);
    case "ping":
      return control(kinds.ping, false, [uint32(frame.id)]);
    case "goAway":
      return control(kinds.goAway, false, [uint32(0), uint32(0)]);
  }
}

function control(kind: number, isFinal: boolean, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(headBytes);
  head.writeUInt16BE(0x8000 | version, 0);
  head.writeUInt16BE(kind, 2);
  writeLength(head, isFinal, body.length);
  return Buffer.concat([head, body]);
}

function writeLength(head: Buffer, isFinal: boolean, length: number): void {
  if (length > maxFrameBytes) throw new RangeError(`frame of ${length} bytes`);
  head[4] = isFinal ? finalFlag : 0;
  head.writeUIntBE(length, 5, 3);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
