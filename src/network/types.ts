import type { Scope } from "../base/scope.ts";

/** A port of the host that leads to a port of the pod. */
export interface HostPort {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** Address of the host that it listens on; empty: all. */
  readonly hostIP: string;
}

/** What a pod needs of the network. */
export interface PodNetworkRequest {
  readonly podUID: string;
  readonly namespace: string;
  readonly name: string;
  /** Path of the pod's pinned network namespace, `lo` not yet up. */
  readonly netns: string;
  readonly hostPorts: readonly HostPort[];
}

/** What a pod got. */
export interface PodNetwork {
  /** The pod's addresses, the primary one first. */
  readonly ips: readonly string[];
}

/**
 * One way of giving pods a network. `host` and `none` are implementations, not conditions.
 * `attach` and `detach` are idempotent; `detach` succeeds for a pod it never saw.
 */
export interface PodNetworkDriver {
  /** Makes what all pods share (bridge, nft table). */
  start(scope: Scope): Promise<void>;
  /** Removes what `start` made. Pods that are still attached lose their network. */
  stop(scope: Scope): Promise<void>;
  /** Brings `lo` up, gives the namespace its interface, address and routes, and publishes the host ports. */
  attach(request: PodNetworkRequest, scope: Scope): Promise<PodNetwork>;
  detach(podUID: string, scope: Scope): Promise<void>;
  /** The addresses a pod was given, also after a restart of the daemon. */
  find(podUID: string): PodNetwork | undefined;
  /** UIDs of all pods that hold an address, interface or host port. */
  list(): readonly string[];
  /** The host's end of the network, from `start` on; undefined where there is none that all pods share. */
  hostSide(): HostSide | undefined;
  /**
   * Puts back what somebody else removed of what all pods share, and looks for firewalls anew. Idempotent, cheap where
   * nothing has changed: call it now and then. Connections in being are not disturbed.
   */
  mend(scope: Scope): Promise<void>;
  /** What stood in the pods' way at the last look. */
  obstacles(): readonly FirewallObstacle[];
}

/** A chain of somebody else's nftables that drops pods' packets. */
export interface FirewallObstacle {
  /** `inet filter forward`: family, table, chain. */
  readonly chain: string;
  /** `policy drop`, or `its rules`. */
  readonly reason: string;
  /** `what pods send each other` and the like. */
  readonly drops: readonly string[];
  /** Commands that let the pods pass. */
  readonly remedy: readonly string[];
}

/** Where the pods' network meets the host. */
export interface HostSide {
  readonly link: string;
  /** The host's address there. */
  readonly address: string;
  /** The pods' addresses, in CIDR form. */
  readonly subnet: string;
}

/**
 * Counters of what the containers' sockets do: who opened which connections, however short. Read by `channels`; nothing
 * else depends on them and a pod runs the same without.
 */
export interface TrafficCounters {
  /** Whether this machine can count, and if not, why. */
  available(): { ok: true } | { ok: false; reason: string };
  /**
   * Counts what the sockets do that are opened from now on in this control group (named below every hierarchy's mount)
   * and those below it. Made if need be; a millisecond, synchronous. Idempotent. What was counted survives the daemon
   * and goes with the control group. Throws SystemCallFailed.
   */
  install(cgroup: string): void;
  /** Undoes {@link install}; what was counted is gone. Idempotent. Throws SystemCallFailed. */
  remove(cgroup: string): void;
}
