import { type TrafficCount, trafficTable } from "../host/traffic-table.ts";
import { type ChannelFact, endpointOf, type Reading } from "./fact.ts";
import { internetFact, internetScope } from "./internet-fact.ts";
import { formatAddress, isPodAddress, type Listeners } from "./listeners.ts";
import type { PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint, Evidence, Traffic } from "./types.ts";

interface Counts {
  connects?: TrafficCount;
  connected?: TrafficCount;
  sent?: TrafficCount;
  received?: TrafficCount;
}

/**
 * Channels that the counters in the pod's network namespace know of: who opened connections or sent datagrams
 * where, however short, and to whom connections from outside came.
 */
export function countedChannels(
  snapshot: PodSnapshot,
  protocol: "TCP" | "UDP",
  listeners: Listeners,
): ChannelFact[] {
  const grouped = new Map<string, { container: string; address: string; port: number; counts: Counts }>();
  const counts = (snapshot.counts ?? []).filter((count) => count.protocol === protocol);
  for (const count of counts) {
    if (count.set === "accepts") continue;
    const { container, address, port } = count;
    const key = `${container} ${address} ${port}`;
    const group = grouped.get(key) ?? { container, address, port, counts: {} };
    group.counts[count.set] = count;
    grouped.set(key, group);
  }
  const groups = [...grouped.values()];
  return [
    ...groups.flatMap((group) => {
      const { connects, connected, sent } = group.counts;
      const inside = isPodAddress(snapshot.pod, group.address);
      const talked = protocol === "TCP" ? connected !== undefined : sent !== undefined;
      const served = !inside || listeners.at(group).length > 0;
      if (talked && served) return [clientFact(snapshot, protocol, group, inside, listeners)];
      return connects !== undefined && !served ? refusedFact(snapshot, group, groups, listeners) : [];
    }),
    ...counts.filter(({ set }) => set === "accepts").map((count) => acceptFact(snapshot, count, listeners)),
  ];
}

type Group = { container: string; address: string; port: number; counts: Counts };

function clientFact(
  snapshot: PodSnapshot,
  protocol: "TCP" | "UDP",
  group: Group,
  inside: boolean,
  listeners: Listeners,
): ChannelFact {
  const serving = inside ? listeners.at(group) : [];
  const [listener] = serving;
  const containers = [...new Set(serving.map(({ container }) => container))];
  const server: ChannelEndpoint =
    containers.length !== 1 || listener === undefined
      ? { role: "Server", path: formatAddress(group) }
      : listener.process === undefined
        ? { container: listener.container, role: "Server" }
        : endpointOf(listener.process, "Server");
  const client: ChannelEndpoint = { container: group.container, role: "Client" };
  const reading = countedReading(protocol, group);
  const { connected, sent, received } = group.counts;
  return internetFact(
    snapshot.pod,
    {
      protocol,
      scope: internetScope(server, client, { server: inside, client: true }),
      at: group,
      server,
      client,
    },
    {
      condition: "Open",
      readings: [reading],
      wholeGroup: containers.length > 1,
      activity: `${sent?.packets ?? 0}/${received?.packets ?? 0}`,
      ...(protocol === "TCP" ? { openConnections: 0 } : {}),
      evidence: [
        countedEvidence(
          group,
          protocol === "TCP"
            ? `${connected?.packets ?? 0} connections to ${formatAddress(group)}; bytes are those on the wire less the headers`
            : `${sent?.packets ?? 0} datagrams to ${formatAddress(group)}, ${received?.packets ?? 0} back; bytes less the headers`,
        ),
        ...(containers.length > 1
          ? [{ source: "/proc/PID/net/tcp", detail: `${containers.join(" or ")} listens on it` }]
          : []),
      ],
    },
  );
}

/** A port that nobody serves is worth telling, unless the client reached the same port by another local address. */
function refusedFact(
  snapshot: PodSnapshot,
  group: Group,
  groups: readonly Group[],
  listeners: Listeners,
): ChannelFact[] {
  const servedElsewhere = groups.some(
    (other) =>
      other.container === group.container &&
      other.port === group.port &&
      isPodAddress(snapshot.pod, other.address) &&
      listeners.at(other).length > 0,
  );
  if (servedElsewhere) return [];
  const client: ChannelEndpoint = { container: group.container, role: "Client" };
  const attempts = group.counts.connects?.packets ?? 0;
  return [
    internetFact(
      snapshot.pod,
      { protocol: "TCP", scope: "InterContainer", at: group, server: undefined, client },
      {
        condition: "Blocked",
        reason: `nothing listens on ${formatAddress(group)}`,
        activity: `${attempts}`,
        fleeting: true,
        evidence: [countedEvidence(group, `${attempts} attempts to connect to ${formatAddress(group)}`)],
      },
    ),
  ];
}

function acceptFact(snapshot: PodSnapshot, count: TrafficCount, listeners: Listeners): ChannelFact {
  const { pod } = snapshot;
  const at = { address: pod.ips[0] ?? "0.0.0.0", port: count.port };
  const process = listeners.at(at).find(({ container }) => container === count.container)?.process;
  const server: ChannelEndpoint =
    process === undefined ? { container: count.container, role: "Server" } : endpointOf(process, "Server");
  const client: ChannelEndpoint = { role: "Client", path: count.address };
  return internetFact(
    pod,
    { protocol: "TCP", scope: "Ingress", at, server, client },
    {
      condition: "Open",
      readings: [{ kind: "counted", id: `from ${count.address}`, connections: count.packets }],
      activity: `${count.packets}`,
      openConnections: 0,
      evidence: [
        {
          source: `nft table ${trafficTable}`,
          detail: `${count.packets} connections from ${count.address} to port ${count.port}`,
        },
      ],
    },
  );
}

function countedEvidence({ container }: Group, detail: string): Evidence {
  return { source: `nft table ${trafficTable}`, detail: `${container}: ${detail}` };
}

// TCP over IP with the timestamps option that Linux always sends; a SYN's options take 8 bytes more.
const tcpHeader = { 4: 20 + 32, 6: 40 + 32 };
const synExtra = 8;
const udpHeader = { 4: 20 + 8, 6: 40 + 8 };

function countedReading(protocol: "TCP" | "UDP", group: Group): Reading {
  const { connects, connected, sent, received } = group.counts;
  const family = group.address.includes(":") ? 6 : 4;
  const payload = (count: TrafficCount | undefined, syns: TrafficCount | undefined): Traffic => {
    const packets = count?.packets ?? 0;
    if (protocol === "UDP") {
      return { bytes: (count?.bytes ?? 0) - packets * udpHeader[family], operations: packets };
    }
    const headers = packets * tcpHeader[family] + (syns?.packets ?? 0) * synExtra;
    return { bytes: Math.max(0, (count?.bytes ?? 0) - headers) };
  };
  return {
    kind: "counted",
    id: `${group.container} ${formatAddress(group)}`,
    ...(protocol === "TCP" ? { connections: connected?.packets ?? 0 } : {}),
    clientToServer: payload(sent, connects),
    serverToClient: payload(received, connected),
  };
}
