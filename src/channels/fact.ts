import type { ObservedProcess, OpenUse } from "./snapshot.ts";
import type { ChannelEndpoint, ChannelScope, ChannelType, EndpointRole, Evidence, Traffic } from "./types.ts";

/** What one look says of one channel. The model makes channels of facts by merging them over time. */
export interface ChannelFact {
  /** Identity of the channel within its pod: equal in every look that sees it. */
  readonly key: string;
  readonly type: ChannelType;
  /** What the name says between the pod's name and the hash, such as the port; at most a few words. */
  readonly label: string;
  readonly scope: ChannelScope;
  readonly address: string;
  readonly port?: number;
  readonly size?: number;
  readonly declared?: boolean;
  readonly endpoints: readonly ChannelEndpoint[];
  readonly condition: "Listening" | "Open" | "Blocked" | "Stale";
  readonly reason?: string;
  /** Changes when data moved. */
  readonly activity?: string;
  /** True only while `activity` moves: an attempt, not a state that the kernel holds. */
  readonly fleeting?: boolean;
  /** TCP and UDP: address and client. Channels to several servers of one port (SO_REUSEPORT) have the same one. */
  readonly group?: string;
  /** What is known of all of a group together: news only as far as its channels don't account for it. */
  readonly wholeGroup?: boolean;
  readonly readings: readonly Reading[];
  /** Connections open now; absent where there are none to count. */
  readonly openConnections?: number;
  readonly evidence: readonly Evidence[];
}

/**
 * Counters as the kernel has them now. `connection`: one connection's own, from its start; `counted`: of
 * the channel since the counters were installed, all connections and the bytes of those that have ended; `past`: a connection of which only its having
 * been is known; `deep`: what the deep look counted since it began, shown only while it goes on.
 */
export interface Reading {
  readonly kind: "connection" | "counted" | "past" | "deep";
  /** Tells this counter from all others of the channel. */
  readonly id: string;
  readonly connections?: number;
  /** Of `deep`: since when, in milliseconds since the epoch. */
  readonly since?: number;
  readonly clientToServer?: Traffic;
  readonly serverToClient?: Traffic;
}

/** A process at an end of a channel, which may be gone before its name could be asked. */
export type Party = Pick<ObservedProcess, "container" | "pid" | "hostPID"> & {
  readonly name: string | undefined;
};

/** Whose an event was. */
export function partyOf({ container, hostPID, pid, process }: OpenUse): Party {
  return { container, hostPID, pid, name: process };
}

/** An endpoint that is this process. */
export function endpointOf(process: Party, role: EndpointRole, path?: string): ChannelEndpoint {
  return {
    container: process.container,
    role,
    ...(process.pid === undefined ? {} : { pid: process.pid }),
    hostPID: process.hostPID,
    ...(process.name === undefined ? {} : { process: process.name }),
    ...(path === undefined ? {} : { path }),
  };
}

/** The scope of a channel whose ends are all in the pod. */
export function scopeWithin(endpoints: readonly ChannelEndpoint[]): ChannelScope {
  const containers = new Set(endpoints.map((endpoint) => endpoint.container));
  return endpoints.length > 1 && containers.size === 1 && !containers.has(undefined)
    ? "IntraContainer"
    : "InterContainer";
}

/** One endpoint per container and role: the first. */
export function distinctEndpoints(endpoints: readonly ChannelEndpoint[]): ChannelEndpoint[] {
  const seen = new Map<string, ChannelEndpoint>();
  for (const endpoint of endpoints) {
    const key = `${endpoint.role} ${endpoint.container ?? ""}`;
    if (!seen.has(key)) seen.set(key, endpoint);
  }
  return [...seen.values()];
}
