import type { InternetSocket } from "../host/sockets.ts";
import { countedChannels, isClient, unservedReason } from "./counted.ts";
import { deepEvidence } from "./deep/evidence.ts";
import { type ChannelFact, endpointOf } from "./fact.ts";
import { internetFact, internetScope, mergeFacts } from "./internet-fact.ts";
import { formatAddress, isPodAddress, Listeners, serverEnd } from "./listeners.ts";
import { Owners } from "./owners.ts";
import type { PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint } from "./types.ts";

/** From where Linux takes ports for sockets that ask for none (net.ipv4.ip_local_port_range). */
const firstEphemeralPort = 32_768;
const lastEphemeralPort = 60_999;

function isEphemeral(port: number): boolean {
  return port >= firstEphemeralPort && port <= lastEphemeralPort;
}

/**
 * UDP channels. A connected socket names its server; what a socket sends without connect(2), and what is closed before a
 * look, only the counters know. A bound socket counts as a server that waits when its port is not one that the kernel hands
 * out; what is sent to such a port of the pod, and nobody is bound to it, is Blocked.
 */
export function udpChannels(snapshot: PodSnapshot): ChannelFact[] {
  const owners = new Owners(snapshot.processes, "socket");
  const bound = snapshot.udp.filter(({ state }) => state === "Close");
  const listeners = new Listeners("UDP", bound, owners, snapshot.knownListeners);
  const edges = mergeFacts([
    ...snapshot.udp
      .filter(({ state }) => state === "Established")
      .flatMap((socket) => connectedFact(snapshot, socket, owners, listeners)),
    ...countedChannels(snapshot, "UDP", listeners),
    ...deepFacts(snapshot, listeners),
  ]).map((fact) => withDrops(fact, listeners));
  const used = new Set(edges.map((edge) => edge.port));
  const idle = [...listeners.all()].flatMap((listener) => {
    if (listener.process === undefined || isEphemeral(listener.port) || used.has(listener.port)) return [];
    const server = endpointOf(listener.process, "Server");
    return [
      internetFact(
        snapshot.pod,
        { protocol: "UDP", scope: "InterContainer", at: listener, server, client: undefined },
        {
          condition: "Listening",
          evidence: [{ source: "/proc/PID/net/udp", detail: `bound to ${formatAddress(listener)}` }],
        },
      ),
    ];
  });
  return [...edges, ...idle];
}

function connectedFact(
  snapshot: PodSnapshot,
  socket: InternetSocket,
  owners: Owners,
  listeners: Listeners,
): ChannelFact[] {
  const { pod } = snapshot;
  const process = owners.user(socket.inode);
  if (process === undefined) return [];
  const at = socket.remote;
  const inside = isPodAddress(pod, at.address);
  const [listener] = inside ? listeners.at(at) : [];
  const client = endpointOf(process, "Client");
  const evidence = {
    source: "/proc/PID/net/udp",
    detail: `${formatAddress(socket.local)} is connected to ${formatAddress(at)}`,
  };
  if (inside && listener === undefined) {
    // A server that connects its socket back to the client is not a client itself, and one that is open for a moment
    // may only ask for the way to an address.
    const isServer = isEphemeral(at.port) || isClient(snapshot, at.port);
    if (isServer || !snapshot.earlierSockets.has(socket.inode)) return [];
    return [
      internetFact(
        pod,
        { protocol: "UDP", scope: "InterContainer", at, server: undefined, client },
        { condition: "Blocked", reason: unservedReason("UDP", at), evidence: [evidence] },
      ),
    ];
  }
  const server = serverEnd(at, listener);
  return [
    internetFact(
      pod,
      {
        protocol: "UDP",
        scope: internetScope(server, client, { server: inside, client: true }),
        at,
        server,
        client,
      },
      {
        condition: "Open",
        evidence: [evidence],
      },
    ),
  ];
}

/** What the deep look knows: who sent datagrams where without connect(2), and how many bytes. */
function deepFacts(snapshot: PodSnapshot, listeners: Listeners): ChannelFact[] {
  const { pod, deep } = snapshot;
  return (deep?.datagrams ?? []).flatMap(({ container, to, bytes, operations }) => {
    if (!("port" in to) || deep === undefined) return [];
    const [listener] = listeners.at(to);
    const inside = isPodAddress(pod, to.address);
    // An answer goes to a port that the kernel handed out.
    if (inside && (listener === undefined || isEphemeral(to.port))) return [];
    const server = serverEnd(to, inside ? listener : undefined);
    const client: ChannelEndpoint = { container, role: "Client" };
    const clientToServer = { bytes, operations };
    return [
      internetFact(
        pod,
        {
          protocol: "UDP",
          scope: internetScope(server, client, { server: inside, client: true }),
          at: to,
          server,
          client,
        },
        {
          condition: "Open",
          activity: `${bytes}`,
          readings: [{ kind: "deep", id: container, since: deep.since, clientToServer }],
          evidence: [
            deepEvidence(deep.since, `${container}: ${operations} datagrams sent to ${formatAddress(to)}`),
          ],
        },
      ),
    ];
  });
}

function withDrops(fact: ChannelFact, listeners: Listeners): ChannelFact {
  for (const { container, port, socket } of listeners.all()) {
    const serves = port === fact.port && fact.endpoints.some((end) => end.container === container);
    if (!serves || socket === undefined || socket.drops === 0) continue;
    const detail = `${socket.drops} datagrams dropped: ${container} is too slow to read them`;
    return { ...fact, evidence: [...fact.evidence, { source: "/proc/PID/net/udp", detail }] };
  }
  return fact;
}
