import type { CounterMap } from "./counter-maps.ts";
import type { UnixSocket } from "./sockets.ts";

/** Of src/network/counters/unix.bpf.c: one for all containers whose counters one daemon installed. */
export const unixCallMap: CounterMap = {
  shape: { keySize: 128, valueSize: 8, maxEntries: 8192 },
  name: "peapod_unix",
  attachType: "unixConnect",
};

/** How often processes of one control group called one Unix socket, whether anybody answered or not. */
export interface UnixCall {
  /** Inode of the version 2 control group. */
  readonly cgroup: bigint;
  /** connect(2), or sendto(2) with an address. */
  readonly call: "connect" | "send";
  readonly type: UnixSocket["type"];
  /** As the caller spelled it: a path of its own, or `@NAME`. */
  readonly name: string;
  /** Of the calling process, as the host numbers them. */
  readonly uid: number;
  readonly gid: number;
  readonly count: number;
}

const calls: Readonly<Record<number, UnixCall["call"]>> = { 1: "connect", 2: "send" };
/** SOCK_STREAM, SOCK_DGRAM and SOCK_SEQPACKET of socket(2). */
const types: Readonly<Record<number, UnixCall["type"]>> = { 1: "stream", 2: "datagram", 5: "seqpacket" };
const pathOffset = 20;

/** One element of the map; undefined for types of sockets that are not known here. */
export function unixCall(element: Buffer): UnixCall | undefined {
  const call = calls[element.readUInt8(16)];
  const type = types[element.readUInt8(17)];
  if (call === undefined || type === undefined) return undefined;
  const length = element.readUInt16LE(18);
  const path = element.toString("utf8", pathOffset, unixCallMap.shape.keySize);
  const abstract = element.toString("utf8", pathOffset + 1, pathOffset + length);
  return {
    cgroup: element.readBigUInt64LE(0),
    call,
    type,
    // As /proc/net/unix writes it.
    name: length > 0 ? `@${abstract.replaceAll("\0", "@")}` : path.replace(/\0.*$/s, ""),
    uid: element.readUInt32LE(8),
    gid: element.readUInt32LE(12),
    count: Number(element.readBigUInt64LE(unixCallMap.shape.keySize)),
  };
}
