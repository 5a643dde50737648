import type { Scope } from "../base/scope.ts";
import type { FileAccess, FileSystemSpace, ProcessCredentials } from "../host/file-access.ts";
import type { MissingEvidence } from "./types.ts";

/** A TCP or UDP socket of a container that waits for clients. */
export interface ListenerEvidence {
  readonly protocol: "TCP" | "UDP";
  readonly family: 4 | 6;
  /** As bound: `0.0.0.0` and `::` are all addresses. */
  readonly address: string;
  readonly port: number;
  readonly container: string;
  readonly process: string;
  readonly hostPID: number;
}

/** How often a container tried to connect to an address, and how often it was answered, since the pod came. */
export interface AttemptEvidence {
  readonly container: string;
  readonly address: string;
  readonly port: number;
  readonly attempts: number;
  readonly answered: number;
}

/** A Unix socket that waits for clients. */
export interface UnixServerEvidence {
  readonly container: string;
  readonly process: string;
  readonly type: "stream" | "datagram" | "seqpacket";
  /** As its binder spelled it; `@NAME` is abstract. */
  readonly name: string;
  /** `VOLUME:/path`; undefined for an abstract one and for one in the container's own root. */
  readonly label: string | undefined;
  /** Its file; undefined for an abstract one and when the file is gone. */
  readonly file: FileAccess | undefined;
}

/** A container that runs: as whom. */
export interface ContainerEvidence {
  readonly name: string;
  /** Of its first process. */
  readonly hostPID: number;
  /** As the container numbers it. */
  readonly pid: number | undefined;
  readonly process: string;
  readonly credentials: ProcessCredentials | undefined;
  /** Its /dev/shm. */
  readonly sharedMemory: FileSystemSpace | undefined;
}

/** What is at a path as a container sees it. */
export interface PathEvidence {
  readonly container: string;
  readonly path: string;
  /** Undefined when nothing is there. */
  readonly file: FileAccess | undefined;
  /** `VOLUME:/path` when the path leads into a volume. */
  readonly label: string | undefined;
  /** The nearest folder above it that is there. */
  readonly folder: { readonly path: string; readonly access: FileAccess } | undefined;
  /** How the other containers that mount the volume call it. */
  readonly elsewhere: readonly { readonly container: string; readonly path: string }[];
}

/** What the kernel says of a running pod beyond its channels: one look, taken on demand. */
export interface PodEvidence {
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
  readonly ips: readonly string[];
  readonly containers: readonly ContainerEvidence[];
  readonly listeners: readonly ListenerEvidence[];
  /** Undefined where nothing counts. */
  readonly attempts: readonly AttemptEvidence[] | undefined;
  readonly unixServers: readonly UnixServerEvidence[];
  /** The paths that were asked for. A path of a container that does not run is told when a volume has it. */
  readonly paths: readonly PathEvidence[];
  readonly missing: readonly MissingEvidence[];
}

/** Where evidence comes from. Only looks: never writes, opens no FIFO. */
export interface EvidenceSource {
  /**
   * A look at the pod with this UID, and at paths as its containers call them. Undefined when the pod has no
   * sandbox. Never throws for evidence that can't be had: that is in `missing`.
   */
  look(
    podUID: string,
    paths: readonly { readonly container: string; readonly path: string }[],
    scope: Scope,
  ): Promise<PodEvidence | undefined>;
}
