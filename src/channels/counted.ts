import type { SocketAddress } from "../host/sockets.ts";
import type { TrafficCount } from "../host/traffic-count.ts";
import type { ChannelFact, Reading } from "./fact.ts";
import { internetFact, internetScope } from "./internet-fact.ts";
import { formatAddress, isPodAddress, type Listeners, serverEnd } from "./listeners.ts";
import type { PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint, Evidence } from "./types.ts";

/**
 * Channels that the counters of the pod's containers know of: who opened connections or sent datagrams where,
 * however short, and to whom connections from outside came.
 */
export function countedChannels(
  snapshot: PodSnapshot,
  protocol: "TCP" | "UDP",
  listeners: Listeners,
): ChannelFact[] {
  const counts = snapshot.counts ?? [];
  const ofKind = (kind: TrafficCount["kind"]) => counts.filter((count) => count.kind === kind);
  if (protocol === "UDP") return datagramFacts(snapshot, counts, listeners);
  const called = ofKind("Called");
  return [
    ...called.flatMap((count) => calledFact(snapshot, count, called, listeners)),
    ...ofKind("Accepted").flatMap((count) => acceptedFact(snapshot, count, listeners)),
  ];
}

function calledFact(
  snapshot: PodSnapshot,
  count: TrafficCount,
  called: readonly TrafficCount[],
  listeners: Listeners,
): ChannelFact[] {
  const served = listeners.at(count).length > 0;
  const isLocal = isPodAddress(snapshot.pod, count.address);
  const inside = isInside(snapshot, count, served);
  if (count.count > 0 && (served || !inside)) {
    const server = inside ? serverAt(count, listeners) : outsideServer(count);
    return [
      clientFact(snapshot, "TCP", count, server, {
        reading: {
          kind: "counted",
          id: `${count.container} ${formatAddress(count)}`,
          connections: count.count,
          clientToServer: { bytes: count.sent },
          serverToClient: { bytes: count.received },
        },
        activity: `${count.count}/${count.sent}/${count.received}`,
        detail: `${count.count} connections to ${formatAddress(count)}`,
        openConnections: 0,
      }),
    ];
  }
  const unanswered = count.attempts - count.count;
  if (!isLocal || served || unanswered <= 0) return [];
  return refusedFact(snapshot, "TCP", count, called, listeners, {
    activity: `${unanswered}`,
    detail: `${count.attempts} attempts to connect to ${formatAddress(count)}${count.count === 0 ? "" : `, ${count.count} answered`}`,
  });
}

/** Where the pod uses the host's network, what answers at a local address may be no container of the pod. */
function isInside({ pod }: PodSnapshot, { address }: TrafficCount, served: boolean): boolean {
  return isPodAddress(pod, address) && (served || pod.netns !== undefined);
}

function datagramFacts(
  snapshot: PodSnapshot,
  counts: readonly TrafficCount[],
  listeners: Listeners,
): ChannelFact[] {
  const grouped = Map.groupBy(
    counts.filter((count) => sendsDatagrams(count, counts)),
    (count) => `${count.container} ${formatAddress(count)}`,
  );
  return [...grouped].flatMap(([id, group]) => {
    const [count] = group;
    if (count === undefined) return [];
    const served = listeners.at(count).length > 0;
    const inside = isInside(snapshot, count, served);
    const number = (kind: TrafficCount["kind"]) => group.find((each) => each.kind === kind)?.count;
    const [sent, answered, connected] = [number("Sent"), number("Answered"), number("Connected")];
    const to = formatAddress(count);
    if (inside && !served) {
      // Connected sockets that are closed may have sent nothing, and who was answered had a server.
      if (sent === undefined || answered !== undefined || isClient(snapshot, count.port)) return [];
      const detail = `${sent} datagrams to ${to} without connect(2)`;
      return refusedFact(snapshot, "UDP", count, counts, listeners, { activity: `${sent}`, detail });
    }
    const server = inside ? serverAt(count, listeners) : outsideServer(count);
    const details = [
      ...(sent === undefined ? [] : [`${sent} datagrams to ${to} without connect(2)`]),
      ...(connected === undefined
        ? []
        : [`${connected} sockets that were connected to ${to} have been closed`]),
      ...(answered === undefined ? [] : [`received from ${to}`]),
    ];
    return clientFact(snapshot, "UDP", count, server, {
      // What connected sockets sent is not counted, and part of the datagrams is no number to tell.
      reading: {
        kind: "counted",
        id,
        ...(sent === undefined || connected !== undefined ? {} : { clientToServer: { operations: sent } }),
      },
      activity: `${sent}/${answered}/${connected}`,
      detail: details.join(", "),
    });
  });
}

/** discard of /etc/services, by which Go's resolver asks the kernel for the way to an address. */
const discardPort = 9;

/**
 * Whether a count says that datagrams were sent. To sort addresses (RFC 6724) resolvers connect a UDP socket to each and
 * send nothing: with the port that is to be called by TCP (glibc), with none, or with one that nobody serves.
 */
function sendsDatagrams(count: TrafficCount, counts: readonly TrafficCount[]): boolean {
  if (count.kind !== "Connected") return count.kind === "Sent" || count.kind === "Answered";
  if (count.port === 0 || count.port === discardPort) return false;
  return !counts.some(
    ({ kind, container, port }) => kind === "Called" && container === count.container && port === count.port,
  );
}

interface Server {
  readonly endpoint: ChannelEndpoint;
  readonly inside: boolean;
  /** More than one: which of them served is not told by the address. */
  readonly containers: readonly string[];
}

function outsideServer(count: TrafficCount): Server {
  return { endpoint: serverEnd(count, undefined), inside: false, containers: [] };
}

function serverAt(count: TrafficCount, listeners: Listeners): Server {
  const serving = listeners.at(count);
  const [listener] = serving;
  const containers = [...new Set(serving.map(({ container }) => container))];
  return {
    endpoint: serverEnd(count, containers.length === 1 ? listener : undefined),
    inside: true,
    containers,
  };
}

function clientFact(
  snapshot: PodSnapshot,
  protocol: "TCP" | "UDP",
  count: TrafficCount,
  { endpoint: server, inside, containers }: Server,
  observed: {
    readonly reading: Reading;
    readonly activity: string;
    readonly detail: string;
    readonly openConnections?: number;
  },
): ChannelFact {
  const client: ChannelEndpoint = { container: count.container, role: "Client" };
  const scope = internetScope(server, client, { server: inside, client: true });
  const { reading, detail, ...rest } = observed;
  return internetFact(
    snapshot.pod,
    { protocol, scope, at: count, server, client },
    {
      ...rest,
      condition: "Open",
      readings: [reading],
      wholeGroup: containers.length > 1,
      evidence: [
        countedEvidence(count, detail),
        ...(containers.length > 1
          ? [
              {
                source: `/proc/PID/net/${protocol.toLowerCase()}`,
                detail: `${containers.join(" or ")} listens on it`,
              },
            ]
          : []),
      ],
    },
  );
}

/** Whether a port is that of a client: its socket is connected, and a server answers to it. */
export function isClient({ udp }: PodSnapshot, port: number): boolean {
  return udp.some(({ state, local }) => state === "Established" && local.port === port);
}

/** What a channel to a port that nobody serves says of it. */
export function unservedReason(protocol: "TCP" | "UDP", at: SocketAddress): string {
  return `nothing ${protocol === "TCP" ? "listens" : "receives"} on ${formatAddress(at)}`;
}

/** A port that nobody serves is worth telling, unless the client reached the same port by another local address. */
function refusedFact(
  snapshot: PodSnapshot,
  protocol: "TCP" | "UDP",
  count: TrafficCount,
  counts: readonly TrafficCount[],
  listeners: Listeners,
  observed: { readonly activity: string; readonly detail: string },
): ChannelFact[] {
  const servedElsewhere = counts.some(
    (other) =>
      other.kind === count.kind &&
      other.container === count.container &&
      other.port === count.port &&
      isPodAddress(snapshot.pod, other.address) &&
      listeners.at(other).length > 0,
  );
  if (servedElsewhere) return [];
  const client: ChannelEndpoint = { container: count.container, role: "Client" };
  return [
    internetFact(
      snapshot.pod,
      { protocol, scope: "InterContainer", at: count, server: undefined, client },
      {
        condition: "Blocked",
        reason: unservedReason(protocol, count),
        activity: observed.activity,
        fleeting: true,
        evidence: [countedEvidence(count, observed.detail)],
      },
    ),
  ];
}

function acceptedFact(snapshot: PodSnapshot, count: TrafficCount, listeners: Listeners): ChannelFact[] {
  const { pod } = snapshot;
  // Its other end is counted as a client's.
  if (isPodAddress(pod, count.address)) return [];
  const at = { address: pod.ips[0] ?? "0.0.0.0", port: count.port };
  const process = listeners.at(at).find(({ container }) => container === count.container)?.process;
  const server = serverEnd(at, { container: count.container, process });
  const client: ChannelEndpoint = { role: "Client", path: count.address };
  return [
    internetFact(
      pod,
      { protocol: "TCP", scope: "Ingress", at, server, client },
      {
        condition: "Open",
        readings: [
          {
            kind: "counted",
            id: `from ${count.address}`,
            connections: count.count,
            clientToServer: { bytes: count.received },
            serverToClient: { bytes: count.sent },
          },
        ],
        activity: `${count.count}/${count.sent}/${count.received}`,
        openConnections: 0,
        evidence: [
          countedEvidence(count, `${count.count} connections from ${count.address} to port ${count.port}`),
        ],
      },
    ),
  ];
}

function countedEvidence({ container }: TrafficCount, detail: string): Evidence {
  return { source: "BPF counters of the control group", detail: `${container}: ${detail}` };
}
