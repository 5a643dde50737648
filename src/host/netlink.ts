import { closeSync } from "node:fs";
import { endianness } from "node:os";
import { getSystemErrorName } from "node:util";
import { PeapodError } from "../base/errors.ts";
import { type Libc, libc } from "./libc.ts";

/** Families of netlink(7): whom the socket talks to. */
export const netlinkFamilies = { route: 0, socketDiagnosis: 4 } as const;
export type NetlinkFamily = keyof typeof netlinkFamilies;

/** One request to a part of the kernel (netlink(7)). */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  /** The type's fixed part, then its attributes. */
  readonly payload: Buffer;
  /** For errors: `add address`. */
  readonly what: string;
}

/** A netlink socket. It belongs to the network namespace in which it was opened, wherever its user is. */
export interface NetlinkSocket {
  /**
   * Sends the requests in order and resolves when the kernel has done them all, with the answers that are no
   * acknowledgements. Rejects with SystemCallFailed (`add address: EEXIST`) for the first that fails; the kernel
   * goes on with those after it. The kernel works on another thread, as it may have to wait for its routing lock.
   */
  send(requests: readonly NetlinkRequest[]): Promise<readonly Buffer[]>;
  /**
   * Asks for a whole table: the answers, each without its header. Everything waits for it, so for tables that are quickly
   * told. Throws SystemCallFailed. What changes meanwhile may be in it or not.
   */
  dump(request: NetlinkRequest): readonly Buffer[];
  /** An open socket keeps its namespace alive. */
  close(): void;
}

const requestFlag = 1;
const acknowledgeFlag = 4;
const dumpFlags = 0x300;
const errorType = 2;
const doneType = 3;
const headerBytes = 16;

type Opener = (family: NetlinkFamily) => NetlinkSocket;

let opener: Opener | undefined;

/** How to open netlink sockets (synchronously), or undefined where system calls can't be made directly. */
export async function netlink(): Promise<Opener | undefined> {
  const loaded = await libc();
  if (loaded === undefined || endianness() !== "LE") return undefined;
  opener ??= load(loaded);
  return opener;
}

function load({ func }: Libc): Opener {
  const socket = func("int socket(int domain, int type, int protocol)");
  const send = func("long send(int fd, const uint8_t *buffer, size_t length, int flags)");
  const receive = func("long recv(int fd, _Out_ uint8_t *buffer, size_t length, int flags)");
  const sendOnThread = (fd: number, bytes: Buffer) =>
    new Promise<number>((resolve, reject) => {
      send.async(fd, bytes, bytes.length, 0, (error: Error | null, sent: number) =>
        error ? reject(error) : resolve(sent),
      );
    });
  const buffer = Buffer.alloc(32 * 1024);
  const received = (fd: number): Buffer => {
    // MSG_DONTWAIT: the answers are there when send returns.
    const length: number = receive(fd, buffer, buffer.length, 0x40);
    if (length < 0) throw new PeapodError("SystemCallFailed", "netlink: no answer");
    return Buffer.from(buffer.subarray(0, length));
  };
  return (family) => {
    // AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC
    const fd: number = socket(16, 3 | 0x80000, netlinkFamilies[family]);
    if (fd < 0) throw new PeapodError("SystemCallFailed", "netlink: no socket");
    return {
      send: async (requests) => {
        const bytes = Buffer.concat(
          requests.map((request, index) => encode(request, acknowledgeFlag, index)),
        );
        if ((await sendOnThread(fd, bytes)) !== bytes.length) {
          throw new PeapodError("SystemCallFailed", "netlink: not sent");
        }
        return collect(requests, () => received(fd));
      },
      dump: (request) => {
        const bytes = encode(request, dumpFlags, 0);
        if (Number(send(fd, bytes, bytes.length, 0)) !== bytes.length) {
          throw new PeapodError("SystemCallFailed", `${request.what}: not sent`);
        }
        return collectDump(request, () => received(fd));
      },
      close: () => closeSync(fd),
    };
  };
}

function encode(request: NetlinkRequest, flags: number, index: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(headerBytes + request.payload.length, 0);
  header.writeUInt16LE(request.type, 4);
  header.writeUInt16LE(request.flags | requestFlag | flags, 6);
  header.writeUInt32LE(index, 8);
  return Buffer.concat([header, request.payload]);
}

/** Reads until every request is acknowledged. */
function collect(requests: readonly NetlinkRequest[], receive: () => Buffer): readonly Buffer[] {
  const answers: Buffer[] = [];
  let failure: PeapodError | undefined;
  for (let pending = requests.length; pending > 0; ) {
    for (const message of messagesOf(receive())) {
      if (message.readUInt16LE(4) !== errorType) {
        answers.push(message.subarray(headerBytes));
        continue;
      }
      pending--;
      const code = message.readInt32LE(headerBytes);
      if (code !== 0) failure ??= failed(requests[message.readUInt32LE(8)]?.what ?? "netlink", code);
    }
  }
  if (failure !== undefined) throw failure;
  return answers;
}

/** Reads until the kernel says that this was all. */
function collectDump({ what }: NetlinkRequest, receive: () => Buffer): readonly Buffer[] {
  const answers: Buffer[] = [];
  for (;;) {
    for (const message of messagesOf(receive())) {
      const type = message.readUInt16LE(4);
      // Both may carry an error's number.
      const code = type === errorType || type === doneType ? message.readInt32LE(headerBytes) : 0;
      if (code < 0) throw failed(what, code);
      if (type === doneType || type === errorType) return answers;
      answers.push(message.subarray(headerBytes));
    }
  }
}

function failed(what: string, code: number): PeapodError {
  const errno = getSystemErrorName(code);
  return new PeapodError("SystemCallFailed", `${what}: ${errno}`, { details: { errno } });
}

function messagesOf(bytes: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const length = Math.max(headerBytes, bytes.readUInt32LE(at));
    messages.push(bytes.subarray(at, at + length));
    at += aligned(length);
  }
  return messages;
}

/** An attribute: a number (32 bits), a name (with its final zero) or bytes. */
export function attribute(type: number, value: number | string | Buffer): Buffer {
  const bytes =
    typeof value === "number"
      ? number32(value)
      : typeof value === "string"
        ? Buffer.from(`${value}\0`)
        : value;
  const buffer = Buffer.alloc(aligned(4 + bytes.length));
  buffer.writeUInt16LE(4 + bytes.length, 0);
  buffer.writeUInt16LE(type, 2);
  bytes.copy(buffer, 4);
  return buffer;
}

/** The bytes of the attribute of this type among those in an answer from `start` on. */
export function findAttribute(message: Buffer, start: number, type: number): Buffer | undefined {
  for (let at = start; at + 4 <= message.length; ) {
    const length = Math.max(4, message.readUInt16LE(at));
    if (message.readUInt16LE(at + 2) === type) return message.subarray(at + 4, at + length);
    at += aligned(length);
  }
  return undefined;
}

function number32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
