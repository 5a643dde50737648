import { fromKernelDevice } from "./device-number.ts";
import { findAttribute, type NetlinkRequest, type NetlinkSocket, netlink } from "./netlink.ts";
import { formatAddressBytes, type TcpCounters, type UnixSocket } from "./sockets.ts";

/** What the kernel tells of the sockets of one network namespace beyond /proc: sock_diag(7), which is what ss(8) asks. */
export interface SocketDiagnosis {
  /** Payload counters and queue limits of all TCP sockets. Throws SystemCallFailed, as does {@link unixSockets}. */
  tcpCounters(): TcpCounters[];
  unixSockets(): UnixSocket[];
  /** An open one keeps its namespace alive. */
  close(): void;
}

/** How to open one (synchronously) for the calling thread's network namespace; undefined where system calls can't be made. */
export async function socketDiagnosis(): Promise<(() => SocketDiagnosis) | undefined> {
  const open = await netlink();
  return open === undefined ? undefined : () => diagnosisBy(open("socketDiagnosis"));
}

function diagnosisBy(socket: NetlinkSocket): SocketDiagnosis {
  return {
    tcpCounters: () =>
      tcpRequests.flatMap((request) => socket.dump(request).map((message) => tcpCounters(message))),
    unixSockets: () => socket.dump(unixRequest).flatMap((message) => unixSocket(message) ?? []),
    close: () => socket.close(),
  };
}

const byFamilyType = 20; // SOCK_DIAG_BY_FAMILY of linux/sock_diag.h
/** A bit for each state of include/net/tcp_states.h but those bound to a port alone, for which the kernel walks 65536 buckets. */
const states = 0x1fff;
const ipv4 = 2;
const ipv6 = 10;
const listenState = 10; // TCP_LISTEN, also of Unix sockets

// linux/inet_diag.h
const tcpInformation = 2;
const tcpMessageSize = 72;
/** Offsets into struct tcp_info of linux/tcp.h. */
const acknowledgedOffset = 120;
const receivedOffset = 128;

const tcpRequests: readonly NetlinkRequest[] = [ipv4, ipv6].map((family) => {
  // struct inet_diag_req_v2
  const payload = Buffer.alloc(56);
  payload.writeUInt8(family, 0);
  payload.writeUInt8(6, 1); // IPPROTO_TCP
  payload.writeUInt8(1 << (tcpInformation - 1), 2);
  payload.writeUInt32LE(states, 4);
  return { type: byFamilyType, flags: 0, payload, what: "list TCP sockets" };
});

/** Reads a struct inet_diag_msg with its attributes. */
function tcpCounters(message: Buffer): TcpCounters {
  const size = message.readUInt8(0) === ipv4 ? 4 : 16;
  const address = (at: number) => formatAddressBytes(message.subarray(at, at + size));
  const information = findAttribute(message, tcpMessageSize, tcpInformation);
  const counter = (at: number) =>
    information === undefined || information.length < at + 8 ? 0 : Number(information.readBigUInt64LE(at));
  return {
    local: { address: address(8), port: message.readUInt16BE(4) },
    remote: { address: address(24), port: message.readUInt16BE(6) },
    listening: message.readUInt8(1) === listenState,
    receiveQueue: message.readUInt32LE(56),
    sendQueue: message.readUInt32LE(60),
    bytesAcked: counter(acknowledgedOffset),
    bytesReceived: counter(receivedOffset),
  };
}

// linux/unix_diag.h
const unixAttributes = { name: 0, file: 1, peer: 2, pending: 3, queues: 4 } as const;
const unixMessageSize = 16;

const unixRequest: NetlinkRequest = (() => {
  // struct unix_diag_req
  const payload = Buffer.alloc(24);
  payload.writeUInt8(1, 0); // AF_UNIX
  payload.writeUInt32LE(states, 4);
  payload.writeUInt32LE(
    Object.values(unixAttributes).reduce<number>((bits, attribute) => bits | (1 << attribute), 0),
    12,
  );
  return { type: byFamilyType, flags: 0, payload, what: "list Unix sockets" };
})();

const unixTypes: Readonly<Record<number, UnixSocket["type"]>> = {
  1: "stream",
  2: "datagram",
  5: "seqpacket",
};

/** Reads a struct unix_diag_msg with its attributes; undefined for a type of socket that is not known here. */
function unixSocket(message: Buffer): UnixSocket | undefined {
  const type = unixTypes[message.readUInt8(1)];
  if (type === undefined) return undefined;
  const attribute = (name: keyof typeof unixAttributes) =>
    findAttribute(message, unixMessageSize, unixAttributes[name]);
  const file = attribute("file");
  const pending = attribute("pending");
  const queues = attribute("queues");
  return {
    type,
    listening: message.readUInt8(2) === listenState,
    name: unixName(attribute("name")),
    inode: message.readUInt32LE(4),
    peerInode: attribute("peer")?.readUInt32LE(0) ?? 0,
    file:
      file === undefined ? undefined : `${fromKernelDevice(file.readUInt32LE(4))}:${file.readUInt32LE(0)}`,
    pending: Array.from(
      { length: (pending?.length ?? 0) / 4 },
      (_, index) => pending?.readUInt32LE(index * 4) ?? 0,
    ),
    receiveQueue: queues?.readUInt32LE(0) ?? 0,
    sendQueue: queues?.readUInt32LE(4) ?? 0,
  };
}

/** An abstract name begins with a zero byte and may hold more; /proc/net/unix and ss(8) write each as `@`. */
function unixName(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const text = bytes.toString();
  return text.startsWith("\0") ? text.replaceAll("\0", "@") : text.replace(/\0.*$/s, "");
}
