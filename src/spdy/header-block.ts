import { createInflate, type Inflate } from "node:zlib";
import { dictionary, dictionaryID } from "./dictionary.ts";

/** Names in lower case. A name that is sent with several values has the first one here. */
export type Headers = Readonly<Record<string, string>>;

/**
 * An empty stored block, as zlib's own sync flush ends with. Go's inflater hands out what it has only at one, and
 * takes a stream that ends before it for broken.
 */
const flush = Buffer.from([0, 0, 0, 0xff, 0xff]);

/** More than any client sends; what inflates to more is an attack. */
const maxBlockBytes = 64 * 1024;

/**
 * Writes header blocks. All blocks of a connection are one zlib stream; this one consists of stored (uncompressed)
 * deflate blocks, which every inflater reads and which need neither state nor waiting.
 */
export class HeaderWriter {
  #hasStarted = false;

  write(headers: Headers): Buffer {
    const block = encodePairs(headers);
    if (block.length > maxBlockBytes - 1) throw new RangeError(`header block of ${block.length} bytes`);
    // RFC 1951, 3.2.4: not the last block, type 0, length and its complement.
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(block.length, 1);
    stored.writeUInt16LE(~block.length & 0xffff, 3);
    const start = this.#hasStarted ? Buffer.alloc(0) : zlibHeader();
    this.#hasStarted = true;
    return Buffer.concat([start, stored, block, flush]);
  }
}

/** Reads the header blocks of a connection. They must be given in the order in which they came, one at a time. */
export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary });
  #parts: Buffer[] = [];
  #failed: Error | undefined;

  constructor() {
    this.#inflate.on("data", (part: Buffer) => this.#parts.push(part));
    this.#inflate.on("error", (error) => {
      this.#failed = error;
    });
  }

  /** Rejects when the block cannot be inflated or read; the connection is lost then. */
  async read(block: Uint8Array): Promise<Headers> {
    this.#parts = [];
    await new Promise<void>((resolve, reject) => {
      if (this.#failed !== undefined) return reject(this.#failed);
      this.#inflate.once("error", reject);
      this.#inflate.write(block, () => {
        this.#inflate.off("error", reject);
        resolve();
      });
    });
    const bytes = Buffer.concat(this.#parts);
    if (bytes.length > maxBlockBytes) throw new RangeError("header block too large");
    return decodePairs(bytes);
  }

  close(): void {
    this.#inflate.close();
  }
}

/** RFC 1950, 2.2: deflate with a 32 KiB window, and the identity of the dictionary. */
function zlibHeader(): Buffer {
  const header = Buffer.from([0x78, 0xbb, 0, 0, 0, 0]);
  header.writeUInt32BE(dictionaryID, 2);
  return header;
}

function encodePairs(headers: Headers): Buffer {
  const pairs = Object.entries(headers);
  return Buffer.concat([
    uint32(pairs.length),
    ...pairs.flatMap(([name, value]) => [...prefixed(name.toLowerCase()), ...prefixed(value)]),
  ]);
}

function decodePairs(bytes: Buffer): Headers {
  const headers: Record<string, string> = Object.create(null);
  let offset = 4;
  const next = () => {
    const end = offset + 4 + bytes.readUInt32BE(offset);
    if (end > bytes.length) throw new RangeError("header block ends within a header");
    const text = bytes.toString("utf8", offset + 4, end);
    offset = end;
    return text;
  };
  for (let left = bytes.readUInt32BE(0); left > 0; left -= 1) {
    const name = next().toLowerCase();
    headers[name] = next().split("\0", 1)[0] ?? "";
  }
  return headers;
}

function prefixed(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text);
  return [uint32(bytes.length), bytes];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
