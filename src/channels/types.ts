import type { Scope } from "../base/scope.ts";

/** Kinds of channel; the ones with a port are TCP and UDP. */
export type ChannelType =
  | "TCP"
  | "UDP"
  | "UnixStream"
  | "UnixDatagram"
  | "UnixSeqpacket"
  | "FIFO"
  | "Pipe"
  | "SysVSharedMemory"
  | "SysVSemaphore"
  | "SysVMessageQueue"
  | "POSIXSharedMemory"
  | "POSIXSemaphore"
  | "POSIXMessageQueue"
  | "SharedFile"
  | "Signal";

export type ChannelScope = "InterContainer" | "IntraContainer" | "Ingress" | "Egress";
export type ChannelState = "Listening" | "Active" | "Idle" | "Blocked" | "Stale" | "Closed";
export type EndpointRole = "Server" | "Client" | "Sender" | "Receiver" | "Writer" | "Reader" | "Peer";

/** One end of a channel. What the kernel cannot tell is absent. */
export interface ChannelEndpoint {
  /** Name of the container; absent for an end outside the pod. */
  readonly container?: string;
  readonly role: EndpointRole;
  /** As the container's own PID namespace numbers it. */
  readonly pid?: number;
  readonly hostPID?: number;
  /** The process' name (`comm`). */
  readonly process?: string;
  /** The path or address by which this end knows the channel, where it differs between the ends. */
  readonly path?: string;
  /** An end outside the pod: the object of the API that has this address now. */
  readonly object?: KnownObject;
}

/** An object of the API that has an address. */
export interface KnownObject {
  readonly kind: "Pod" | "Service" | "Node";
  /** Empty for a Node. */
  readonly namespace: string;
  readonly name: string;
  /** A Service: names of the pods among which it divides connections to this port. */
  readonly pods?: readonly string[];
}

/** Whose an address is; the daemon implements it. */
export interface AddressBook {
  /** Undefined for an address that no object of the API has. `port` only where it is a server's. */
  find(ip: string, port: number | undefined, protocol: "TCP" | "UDP"): KnownObject | undefined;
}

export interface Traffic {
  readonly bytes?: number;
  readonly operations?: number;
}

/** From which kernel file or event a fact was read. */
export interface Evidence {
  readonly source: string;
  readonly detail: string;
}

/** The resource `channels.peapod.dev/v1alpha1` (docs/reference/channels.md). */
export interface Channel {
  readonly apiVersion: "peapod.dev/v1alpha1";
  readonly kind: "Channel";
  readonly metadata: {
    /** Stable while the channel lives, unique in the namespace. */
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly creationTimestamp: string;
  };
  readonly spec: {
    readonly pod: string;
    readonly podUID: string;
    readonly type: ChannelType;
    readonly scope: ChannelScope;
    readonly address: string;
    /** TCP and UDP only. */
    readonly port?: number;
    /** Shared memory and files: size in bytes. */
    readonly size?: number;
  };
  readonly status: {
    readonly state: ChannelState;
    /** For Blocked and Stale: why. */
    readonly reason?: string;
    readonly needsPort: boolean;
    /** TCP and UDP: whether a containerPort of the serving container names the port. */
    readonly declared?: boolean;
    readonly endpoints: readonly ChannelEndpoint[];
    readonly traffic?: {
      readonly clientToServer?: Traffic;
      readonly serverToClient?: Traffic;
      /** From when on was counted, where that is not the channel's whole life: the deep look began then. */
      readonly since?: string;
    };
    readonly connections?: { readonly open: number; readonly total: number };
    readonly firstSeen: string;
    readonly lastSeen: string;
    readonly evidence: readonly Evidence[];
  };
}

/** A running pod as the observer sees it: the node tells it where to look, nothing more. */
export interface ObservedPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** The pod's pinned namespaces; undefined where it uses the host's. */
  readonly netns: string | undefined;
  readonly ipcns: string | undefined;
  /** The pod's cgroup below every hierarchy's mount; those of its containers are below it, under their names. */
  readonly cgroup: string;
  readonly ips: readonly string[];
  /** Host folder that is the containers' /dev/shm. */
  readonly shm: string;
  readonly containers: readonly ObservedContainer[];
  readonly volumes: readonly ObservedVolume[];
}

/** A container that exists, whether its process has begun or not. */
export interface CreatedContainer {
  readonly name: string;
  readonly id: string;
  /** Host PID of its init process. */
  readonly pid: number;
  /** Its cgroup below every hierarchy's mount; all its processes are in it or below. */
  readonly cgroup: string;
}

export interface ObservedContainer extends CreatedContainer {
  /** Its declared ports. */
  readonly ports: readonly { readonly containerPort: number; readonly protocol: string }[];
}

export interface ObservedVolume {
  readonly name: string;
  readonly hostPath: string;
  readonly mounts: readonly ObservedMount[];
}

/** Where one container has a volume. */
export interface ObservedMount {
  readonly container: string;
  readonly mountPath: string;
  /** What of the volume is mounted there; absent: all of it. */
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

/** Where the observer learns of pods; the node implements it. */
export interface PodSource {
  runningPods(): readonly ObservedPod[];
  /**
   * From now on calls `listener` with each container that has been made, with its mounts, and whose process waits to be
   * let go until the listener returns. Returns how to end that. Absent: nobody tells.
   */
  onCreated?(listener: (podUID: string, container: CreatedContainer) => void): () => void;
}

/** A layer of evidence that is missing on this machine, named on every map. */
export interface MissingEvidence {
  readonly layer: string;
  readonly reason: string;
}

/** How much somebody wants to know. */
export interface ChannelInterest {
  /**
   * The deep look, too: it goes on while it is asked for, and twenty seconds more. The first time it takes some
   * seconds, because the answer waits until something was counted.
   */
  readonly deep?: boolean;
  /** The look is no reason to look more often from now on. */
  readonly passing?: boolean;
}

/** The observer: only looks, never writes, opens no FIFO and disturbs no peer. */
export interface ChannelObserver {
  /**
   * The channels as of now (takes a fresh look when the last one is older than a sampling period), with history
   * of those that closed lately.
   */
  list(
    scope: Scope,
    interest?: ChannelInterest,
  ): Promise<{ channels: readonly Channel[]; missing: readonly MissingEvidence[] }>;
  start(scope: Scope): void;
  stop(): Promise<void>;
}
