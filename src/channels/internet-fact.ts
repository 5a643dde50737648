import type { SocketAddress } from "../host/sockets.ts";
import type { ChannelFact, Reading } from "./fact.ts";
import { formatAddress, isDeclared } from "./listeners.ts";
import type { ChannelEndpoint, ChannelScope, Evidence, ObservedPod } from "./types.ts";

/** What tells one TCP or UDP channel from all others of its pod, and its ends. */
export interface InternetEdge {
  readonly protocol: "TCP" | "UDP";
  readonly scope: ChannelScope;
  /** Where the server is. */
  readonly at: SocketAddress;
  /** Undefined for a port that nobody serves. */
  readonly server: ChannelEndpoint | undefined;
  /** Undefined for a server that nobody talks to. */
  readonly client: ChannelEndpoint | undefined;
}

/**
 * Scope of an edge by its ends: an end without a container is outside of the pod, except where the pod's own
 * addresses say that it is inside and only unknown.
 */
export function internetScope(
  server: ChannelEndpoint | undefined,
  client: ChannelEndpoint | undefined,
  inside: { readonly server: boolean; readonly client: boolean },
): ChannelScope {
  if (client !== undefined && client.container === undefined && !inside.client) return "Ingress";
  if (server !== undefined && server.container === undefined && !inside.server) return "Egress";
  return server?.container !== undefined && server.container === client?.container
    ? "IntraContainer"
    : "InterContainer";
}

/** The fact of an edge. */
export function internetFact(
  pod: ObservedPod,
  edge: InternetEdge,
  observed: {
    readonly condition: ChannelFact["condition"];
    readonly reason?: string | undefined;
    readonly readings?: readonly Reading[];
    readonly activity?: string;
    readonly openConnections?: number;
    readonly fleeting?: boolean;
    readonly wholeGroup?: boolean;
    readonly evidence: readonly Evidence[];
  },
): ChannelFact {
  const { protocol, at, server, client } = edge;
  const declared =
    server?.container === undefined ? undefined : isDeclared(pod, server.container, at.port, protocol);
  const { reason, activity, openConnections } = observed;
  return {
    key: `${protocol} ${formatAddress(at)} ${server === undefined ? "-" : (server.container ?? "?")} ${client === undefined ? "-" : (client.container ?? "?")}`,
    type: protocol,
    label: `${protocol.toLowerCase()}-${at.port}`,
    scope: edge.scope,
    address: formatAddress(at),
    port: at.port,
    ...(declared === undefined ? {} : { declared }),
    endpoints: [server, client].filter((end) => end !== undefined),
    condition: observed.condition,
    ...(reason === undefined ? {} : { reason }),
    ...(activity === undefined ? {} : { activity }),
    ...(openConnections === undefined ? {} : { openConnections }),
    ...(observed.fleeting === true ? { fleeting: true } : {}),
    ...(client?.container === undefined
      ? {}
      : { group: `${protocol} ${formatAddress(at)} ${client.container}` }),
    ...(observed.wholeGroup === true ? { wholeGroup: true } : {}),
    readings: observed.readings ?? [],
    evidence: observed.evidence,
  };
}

/** Facts of the same channel from different sources as one: ends with a process and open connections win. */
export function mergeFacts(facts: readonly ChannelFact[]): ChannelFact[] {
  const merged = new Map<string, ChannelFact>();
  for (const fact of facts) {
    const earlier = merged.get(fact.key);
    merged.set(fact.key, earlier === undefined ? fact : mergeTwo(earlier, fact));
  }
  return [...merged.values()];
}

const conditionRank = { Blocked: 3, Open: 2, Stale: 1, Listening: 0 };

function mergeTwo(a: ChannelFact, b: ChannelFact): ChannelFact {
  const first = conditionRank[b.condition] > conditionRank[a.condition] ? b : a;
  const open =
    a.openConnections === undefined && b.openConnections === undefined
      ? undefined
      : (a.openConnections ?? 0) + (b.openConnections ?? 0);
  return {
    ...a,
    condition: first.condition,
    ...(first.reason === undefined ? {} : { reason: first.reason }),
    activity: `${a.activity ?? ""} ${b.activity ?? ""}`,
    ...(open === undefined ? {} : { openConnections: open }),
    endpoints: mergeEndpoints(a.endpoints, b.endpoints),
    readings: [...a.readings, ...b.readings],
    evidence: [...a.evidence, ...b.evidence],
  };
}

/** Callers from outside that one channel names. All of them are in its evidence. */
const maxOutsideEnds = 4;

/** One end per container and role, and of those outside one per address, in an order that stays from look to look. */
function mergeEndpoints(a: readonly ChannelEndpoint[], b: readonly ChannelEndpoint[]): ChannelEndpoint[] {
  const outside = [...a, ...b].filter(({ container }) => container === undefined);
  const byPath = new Map(outside.map((end) => [`${end.role} ${end.path}`, end]));
  const inside = a
    .filter(({ container }) => container !== undefined)
    .map((end) => {
      const other = b.find(({ role, container }) => role === end.role && container === end.container);
      return end.hostPID === undefined && other !== undefined ? other : end;
    });
  const named = [...byPath].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, end]) => end);
  return [...inside, ...named.slice(0, maxOutsideEnds)];
}
