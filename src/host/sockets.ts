/**
 * The kernel's socket tables as text: /proc/PID/net/{tcp,tcp6,udp,udp6,unix} (proc_net(5)).
 * Addresses are plain: IPv4 dotted also when IPv6 sockets hold them mapped, IPv6 in its shortest form.
 */

/** Address and port of one end of a socket. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** A row of a TCP or UDP table. */
export interface InternetSocket {
  readonly family: 4 | 6;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Of TCP; UDP has `Established` (connected) and `Close` (bound or not). */
  readonly state: SocketState;
  readonly sendQueue: number;
  readonly receiveQueue: number;
  /** 0 for a socket that no process has open: TIME_WAIT, not yet accepted, orphaned. */
  readonly inode: number;
  /** The timer that runs: 0 none, 1 retransmit, 2 keepalive, 3 TIME_WAIT, 4 zero window probe. */
  readonly timer: number;
  /** UDP: datagrams dropped because the receiver was too slow. */
  readonly drops: number;
}

export type SocketState =
  | "Established"
  | "SynSent"
  | "SynReceived"
  | "FinWait1"
  | "FinWait2"
  | "TimeWait"
  | "Close"
  | "CloseWait"
  | "LastAck"
  | "Listen"
  | "Closing";

// Order of include/net/tcp_states.h, from 1.
const states: readonly SocketState[] = [
  "Established",
  "SynSent",
  "SynReceived",
  "FinWait1",
  "FinWait2",
  "TimeWait",
  "Close",
  "CloseWait",
  "LastAck",
  "Listen",
  "Closing",
];

/** Parses /proc/PID/net/{tcp,tcp6,udp,udp6}. */
export function parseInternetSockets(text: string): InternetSocket[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = "", remote = "", state = "", queues = "", timer = ""] = fields;
    if (!local.includes(":") || local === "local_address") return [];
    const [send = "0", receive = "0"] = queues.split(":");
    return [
      {
        family: local.length > 13 ? 6 : 4,
        local: parseHexAddress(local),
        remote: parseHexAddress(remote),
        state: states[Number.parseInt(state, 16) - 1] ?? "Close",
        sendQueue: Number.parseInt(send, 16),
        receiveQueue: Number.parseInt(receive, 16),
        timer: Number.parseInt(timer.split(":")[0] ?? "0", 16),
        inode: Number(fields[9] ?? 0),
        drops: Number(fields[12] ?? 0),
      } satisfies InternetSocket,
    ];
  });
}

/** `0100007F:1F90`: 32-bit words in the machine's byte order (little-endian on all that Node.js runs on). */
function parseHexAddress(text: string): SocketAddress {
  const [hex = "", port = "0"] = text.split(":");
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  return { address: formatAddressBytes(Uint8Array.from(bytes)), port: Number.parseInt(port, 16) };
}

/** An address of 4 or 16 bytes in network order. */
export function formatAddressBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return normalizeAddress(groups.join(":"));
}

/** One spelling per address: IPv6 as RFC 5952 has it, IPv4 out of its mapped form, without brackets and zone; `*` is all addresses of both. */
export function normalizeAddress(text: string): string {
  const plain = text.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (!plain.includes(":")) return plain === "*" ? "::" : plain;
  const short = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(short);
  if (mapped === null) return short;
  const high = Number.parseInt(mapped[1] ?? "0", 16);
  const low = Number.parseInt(mapped[2] ?? "0", 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** Payload counters and queue limits of a TCP socket, which only sock_diag(7) has. */
export interface TcpCounters {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly listening: boolean;
  /** Of a listener: connections that wait to be accepted, and how many may. */
  readonly receiveQueue: number;
  readonly sendQueue: number;
  readonly bytesAcked: number;
  readonly bytesReceived: number;
}

/** A Unix socket. */
export interface UnixSocket {
  readonly type: "stream" | "datagram" | "seqpacket";
  readonly listening: boolean;
  /** As its binder spelled it; `@NAME` is abstract (or a relative path that starts with `@`); absent: unnamed. */
  readonly name: string | undefined;
  readonly inode: number;
  /** Of the connected peer; 0 without one or while it is not accepted yet. Undefined where it can't be known. */
  readonly peerInode: number | undefined;
  /** `device:inode` of the socket's file, as stat(2) numbers it, whatever path leads to it. */
  readonly file: string | undefined;
  /** Inodes of clients that a listener has not accepted yet. */
  readonly pending: readonly number[];
  readonly receiveQueue: number;
  /** Of a listener: how many connections may wait. */
  readonly sendQueue: number;
}

const procUnixTypes = { "0001": "stream", "0002": "datagram", "0005": "seqpacket" } as const;

/** Parses /proc/PID/net/unix, which knows no peers: for where sock_diag(7) can't be asked. */
export function parseProcUnixSockets(text: string): UnixSocket[] {
  const row = /^[0-9a-f]+: \S+ \S+ (\S+) (\S+) (\S+)\s+(\d+)(?: (.*))?$/;
  return text.split("\n").flatMap((line) => {
    const match = row.exec(line);
    const type = procUnixTypes[match?.[2] as keyof typeof procUnixTypes];
    if (match === null || type === undefined) return [];
    return [
      {
        type,
        // __SO_ACCEPTCON of include/uapi/linux/net.h.
        listening: (Number.parseInt(match[1] ?? "0", 16) & 0x10000) !== 0,
        name: match[5] === undefined || match[5] === "" ? undefined : match[5],
        inode: Number(match[4]),
        peerInode: undefined,
        file: undefined,
        pending: [],
        receiveQueue: 0,
        sendQueue: 0,
      },
    ];
  });
}
