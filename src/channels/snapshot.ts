import type { FileKind, SharedMapping, WaitingCall } from "../host/proc.ts";
import type { InternetSocket, TcpCounters, UnixSocket } from "../host/sockets.ts";
import type { MessageQueue, SemaphoreSet, SharedMemorySegment } from "../host/sysvipc.ts";
import type { TrafficCount } from "../host/traffic-count.ts";
import type { DeepCounts } from "./deep/counts.ts";
import type { ObservedPod } from "./types.ts";

/** One look at one pod: everything from which the joins draw channels, and nothing that they must fetch. */
export interface PodSnapshot {
  readonly pod: ObservedPod;
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
  /** In the order of their host PIDs. */
  readonly processes: readonly ObservedProcess[];
  readonly tcp: readonly InternetSocket[];
  readonly udp: readonly InternetSocket[];
  readonly unix: readonly UnixSocket[];
  /** Undefined without sock_diag(7). */
  readonly tcpCounters: readonly TcpCounters[] | undefined;
  readonly sharedMemory: readonly SharedMemorySegment[];
  readonly semaphores: readonly SemaphoreSet[];
  /** By id of the set: who operated on its semaphores last. */
  readonly semaphoreOperators: ReadonlyMap<number, readonly number[]>;
  readonly messageQueues: readonly MessageQueue[];
  /** Undefined where nothing counts. */
  readonly counts: readonly TrafficCount[] | undefined;
  /** FIFOs and sockets in the pod's volumes, and the files of its /dev/shm. */
  readonly files: readonly PodFile[];
  /** By identity: files and folders of the volumes that somebody watches with inotify(7). */
  readonly watched: ReadonlyMap<string, WatchedPlace>;
  /** Who held or opened which FIFO lately, as events told it. */
  readonly fifoUses: readonly OpenUse[];
  /** Who had files of shared volumes open lately, as events told it; the oldest first. */
  readonly fileUses: readonly FileUse[];
  /** Calls of Unix sockets that listen now, answered since the pod's first look. */
  readonly unixCalls: readonly AnsweredUnixCall[];
  /** Calls of paths in shared volumes on which nothing listens, neither now nor at the look before. */
  readonly unservedUnixCalls: readonly UnservedUnixCall[];
  /** What threads wait for in open(2): paths read from their memory. */
  readonly waitingOpens: readonly WaitingOpen[];
  /**
   * Inodes of the sockets that the look before saw. A socket without an owner that is not among them may have come
   * while this look was taken, after its process was looked at.
   */
  readonly earlierSockets: ReadonlySet<number>;
  /** Servers seen by earlier looks, for connections that outlive their listener's socket. */
  readonly knownListeners: readonly KnownListener[];
  /** What the deep look counted; undefined while nobody looks deep. */
  readonly deep: DeepCounts | undefined;
}

export interface ObservedProcess {
  readonly container: string;
  readonly hostPID: number;
  /** In the process' own PID namespace. */
  readonly pid: number | undefined;
  readonly name: string;
  readonly descriptors: readonly Descriptor[];
  readonly mappings: readonly SharedMapping[];
  readonly calls: readonly WaitingCall[];
}

export type Access = "read" | "write" | "both";

export interface Descriptor {
  readonly fd: number;
  readonly link: string;
  /** `watch`: one thing that an inotify descriptor watches, as `identity`. */
  readonly kind: FileKind | "pipe" | "queue" | "watch";
  /** Of a socket or an anonymous pipe. */
  readonly inode: number | undefined;
  /** Of a file with a path. */
  readonly identity: string | undefined;
  /** Of FIFOs, pipes, queues and regular files. */
  readonly access: Access | undefined;
  readonly position: number | undefined;
  readonly size: number | undefined;
  readonly modifiedAt: number | undefined;
}

/** A file in a volume or in the pod's /dev/shm, as the host sees it. */
export interface PodFile {
  /** `device:inode` as stat(2) has them. */
  readonly identity: string;
  readonly kind: FileKind;
  /** `VOLUME:/path`, or `/name` in /dev/shm. */
  readonly label: string;
  readonly hostPath: string;
  readonly volume: string | undefined;
  readonly size: number;
  readonly modifiedAt: number;
  readonly accessedAt: number;
}

/** A file or folder in a volume. */
export interface WatchedPlace {
  /** `VOLUME:/path`. */
  readonly label: string;
  readonly volume: string;
  readonly hostPath: string;
  /** Of a folder: when something was made, removed or renamed in it. */
  readonly modifiedAt: number;
}

/** A container had a file open for an instant, as an event told. */
export interface OpenUse {
  /** `device:inode`; of a file that was gone before it could be asked for, its handle. */
  readonly identity: string;
  readonly access: Access;
  readonly container: string;
  readonly hostPID: number;
  readonly pid: number | undefined;
  /** Undefined when it was gone before it could be asked. */
  readonly process: string | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** How a file was used whose descriptors an event says to be closed. */
export function accessesOf(event: { closedWriter: boolean; closedReader: boolean }): Access[] {
  return [
    ...(event.closedWriter ? ["write" as const] : []),
    ...(event.closedReader ? ["read" as const] : []),
  ];
}

/** How often a container reached a server's Unix socket. */
export interface AnsweredUnixCall {
  readonly container: string;
  /** connect(2), or sendto(2) of a datagram. */
  readonly call: "connect" | "send";
  /** As the caller spelled it. */
  readonly name: string;
  /** Inode of the server's socket. */
  readonly server: number;
  readonly count: number;
}

/** How often a container called a Unix socket that nobody serves. */
export interface UnservedUnixCall {
  readonly container: string;
  readonly type: "stream" | "datagram" | "seqpacket";
  /** As the caller spelled it. */
  readonly name: string;
  /** `VOLUME:/path`. */
  readonly label: string;
  readonly count: number;
}

/** A use of a file in a volume that several containers mount. */
export interface FileUse extends OpenUse {
  readonly kind: "file" | "fifo";
  /** `VOLUME:/path`, by which it was opened. */
  readonly label: string;
}

export interface WaitingOpen {
  readonly process: ObservedProcess;
  readonly identity: string;
  readonly path: string;
  readonly access: Access;
}

export interface KnownListener {
  readonly protocol: "TCP" | "UDP";
  readonly address: string;
  readonly port: number;
  readonly container: string;
  readonly hostPID: number | undefined;
}
