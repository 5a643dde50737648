import type { InternetSocket, TcpCounters } from "../host/sockets.ts";
import { countedChannels } from "./counted.ts";
import { type ChannelFact, endpointOf, type Reading } from "./fact.ts";
import { internetFact, internetScope, mergeFacts } from "./internet-fact.ts";
import { formatAddress, isPodAddress, Listeners, serverEnd } from "./listeners.ts";
import { Owners } from "./owners.ts";
import type { PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint } from "./types.ts";

/** Zero window probe: the other end has told that it takes no more. Value of /proc/net/tcp's `tr` column. */
const zeroWindowTimer = 4;

/** The servers of TCP ports in a snapshot. */
function tcpListeners(snapshot: PodSnapshot, owners: Owners): Listeners {
  const listening = snapshot.tcp.filter(({ state }) => state === "Listen");
  return new Listeners("TCP", listening, owners, snapshot.knownListeners);
}

/**
 * TCP channels: one per server container, address and client container. Both ends of a connection inside the pod
 * are rows of the same table, each with the inode of a socket that some process has open; connections too short
 * to be seen there come from the counters; without counters, their TIME_WAIT rows at least tell the server.
 */
export function tcpChannels(snapshot: PodSnapshot): ChannelFact[] {
  const owners = new Owners(snapshot.processes, "socket");
  const listeners = tcpListeners(snapshot, owners);
  const edges = mergeFacts([
    ...connectionFacts(snapshot, owners, listeners),
    ...countedChannels(snapshot, "TCP", listeners),
    ...(snapshot.counts === undefined ? pastFacts(snapshot, listeners) : []),
  ]);
  return [...edges, ...idleListenerFacts(snapshot, listeners, edges)];
}

function tuple(socket: { local: InternetSocket["local"]; remote: InternetSocket["remote"] }): string {
  return `${formatAddress(socket.local)} ${formatAddress(socket.remote)}`;
}

function reversed(socket: InternetSocket): string {
  return tuple({ local: socket.remote, remote: socket.local });
}

const notConnections: readonly InternetSocket["state"][] = ["Listen", "TimeWait", "SynReceived", "Close"];

function connectionFacts(snapshot: PodSnapshot, owners: Owners, listeners: Listeners): ChannelFact[] {
  const connections = snapshot.tcp.filter(({ state }) => !notConnections.includes(state));
  const byTuple = new Map(connections.map((socket) => [tuple(socket), socket]));
  const over = new Set(snapshot.tcp.filter(({ state }) => state === "TimeWait").map(tuple));
  const counters = new Map((snapshot.tcpCounters ?? []).map((each) => [tuple(each), each]));
  const done = new Set<InternetSocket>();
  return connections.flatMap((socket) => {
    if (done.has(socket)) return [];
    const other = byTuple.get(reversed(socket));
    done.add(socket);
    if (other !== undefined) done.add(other);
    // The connection ended between the reading of its two rows: its other end is not the outside.
    else if (over.has(reversed(socket))) return [];
    const serves = isServerEnd(socket, other, listeners);
    return connectionFact(
      snapshot,
      owners,
      listeners,
      serves ? { server: socket, client: other } : { server: other, client: socket },
      counters,
    );
  });
}

/** Whether this end is the server's: somebody listens at its address; else the lower port is. */
function isServerEnd(
  socket: InternetSocket,
  other: InternetSocket | undefined,
  listeners: Listeners,
): boolean {
  if (socket.state === "SynSent") return false;
  const here = listeners.at(socket.local).length > 0;
  const there = listeners.at(socket.remote).length > 0;
  if (other === undefined) return here && !there;
  return here === there ? socket.local.port < socket.remote.port : here;
}

const closing: readonly InternetSocket["state"][] = ["FinWait1", "FinWait2", "LastAck", "Closing"];

/**
 * Whether it is too early or too late to say whose this end is: its process closed it, or the socket may be
 * younger than the look at its process.
 */
function isUnclear(snapshot: PodSnapshot, owners: Owners, end: InternetSocket | undefined): boolean {
  if (end === undefined) return false;
  if (end.inode === 0) return closing.includes(end.state);
  return owners.user(end.inode) === undefined && !snapshot.earlierSockets.has(end.inode);
}

/** Whether the connection may have come between the reading of /proc/net/tcp and tcp6, so that a row is missing. */
function isYoung(snapshot: PodSnapshot, end: InternetSocket | undefined): boolean {
  if (end?.state !== "Established") return false;
  return end.inode === 0 || !snapshot.earlierSockets.has(end.inode);
}

function connectionFact(
  snapshot: PodSnapshot,
  owners: Owners,
  listeners: Listeners,
  ends: { server: InternetSocket | undefined; client: InternetSocket | undefined },
  counters: ReadonlyMap<string, TcpCounters>,
): ChannelFact[] {
  const { pod } = snapshot;
  const at = ends.server?.local ?? ends.client?.remote;
  const from = ends.client?.local ?? ends.server?.remote;
  if (at === undefined || from === undefined) return [];
  if (isUnclear(snapshot, owners, ends.server) || isUnclear(snapshot, owners, ends.client)) return [];
  if (ends.client === undefined && isPodAddress(pod, from.address) && isYoung(snapshot, ends.server))
    return [];

  const accepted = ends.server === undefined || ends.server.inode !== 0;
  const listening = listeners.at(at);
  const serverProcess =
    ends.server !== undefined && accepted
      ? owners.user(ends.server.inode)
      : listening.length === 1
        ? listening[0]?.process
        : undefined;
  const clientProcess = ends.client === undefined ? undefined : owners.user(ends.client.inode);
  if (serverProcess === undefined && clientProcess === undefined) return [];
  // An end that is in the table, owned by nobody in the pod's containers, is somebody else's: of the host where
  // the pod uses its network, or of a process that was sent into the pod's (a forwarded port).
  const inside = {
    server: isPodAddress(pod, at.address) && (ends.server === undefined || !accepted),
    client: isPodAddress(pod, from.address) && ends.client === undefined,
  };

  const server: ChannelEndpoint =
    serverProcess === undefined
      ? { role: "Server", path: formatAddress(at) }
      : endpointOf(serverProcess, "Server");
  const client: ChannelEndpoint =
    clientProcess === undefined
      ? { role: "Client", path: from.address }
      : endpointOf(clientProcess, "Client");
  const reading = connectionReading(ends, counters);
  return [
    internetFact(
      pod,
      { protocol: "TCP", scope: internetScope(server, client, inside), at, server, client },
      {
        ...conditionOf(ends, at, accepted, counters),
        readings: [reading],
        activity: `${reading.clientToServer?.bytes ?? ""}/${reading.serverToClient?.bytes ?? ""}`,
        openConnections: 1,
        evidence: [
          {
            source: "/proc/PID/net/tcp",
            detail: `${formatAddress(from)} to ${formatAddress(at)}, ${ends.client?.state ?? ends.server?.state}${accepted ? "" : ", not accepted yet"}`,
          },
        ],
      },
    ),
  ];
}

function connectionReading(
  ends: { server: InternetSocket | undefined; client: InternetSocket | undefined },
  counters: ReadonlyMap<string, TcpCounters>,
): Reading {
  const atClient = ends.client === undefined ? undefined : counters.get(tuple(ends.client));
  const atServer = ends.server === undefined ? undefined : counters.get(tuple(ends.server));
  const id = ends.client === undefined ? (ends.server ? reversed(ends.server) : "") : tuple(ends.client);
  if (atClient === undefined && atServer === undefined) return { kind: "connection", id };
  // What was received is payload; what was acknowledged holds the client's SYN too.
  const up = atServer?.bytesReceived ?? Math.max(0, (atClient?.bytesAcked ?? 0) - 1);
  const down = atClient?.bytesReceived ?? atServer?.bytesAcked ?? 0;
  return { kind: "connection", id, clientToServer: { bytes: up }, serverToClient: { bytes: down } };
}

function conditionOf(
  ends: { server: InternetSocket | undefined; client: InternetSocket | undefined },
  at: InternetSocket["local"],
  accepted: boolean,
  counters: ReadonlyMap<string, TcpCounters>,
): { condition: ChannelFact["condition"]; reason?: string } {
  const { server, client } = ends;
  if (client?.state === "SynSent") {
    return { condition: "Blocked", reason: `the client connects to ${formatAddress(at)} and gets no answer` };
  }
  if (client !== undefined && client.sendQueue > 0 && client.timer === zeroWindowTimer) {
    const why = accepted ? "the server does not read" : "the server has not accepted the connection";
    return { condition: "Blocked", reason: `${why}: ${client.sendQueue} bytes wait to be sent` };
  }
  if (server !== undefined && server.sendQueue > 0 && server.timer === zeroWindowTimer) {
    return {
      condition: "Blocked",
      reason: `the client does not read: ${server.sendQueue} bytes wait to be sent`,
    };
  }
  if (!accepted) {
    const listener = [...counters.values()].find(
      ({ listening, local }) => listening && local.port === at.port,
    );
    const queue =
      listener === undefined ? "" : `: ${listener.receiveQueue} wait in a backlog of ${listener.sendQueue}`;
    return { condition: "Blocked", reason: `the server has not accepted the connection${queue}` };
  }
  return { condition: "Open" };
}

/** Connections of which only TIME_WAIT is left: the server is known by its port, the client is not. */
function pastFacts(snapshot: PodSnapshot, listeners: Listeners): ChannelFact[] {
  const { pod } = snapshot;
  return snapshot.tcp.flatMap((socket) => {
    if (socket.state !== "TimeWait") return [];
    const serves = listeners.at(socket.local).length > 0;
    const [at, from] = serves ? [socket.local, socket.remote] : [socket.remote, socket.local];
    const serving = listeners.at(at);
    const [listener] = serving;
    if (listener === undefined || serving.length > 1) return [];
    const inside = { server: true, client: isPodAddress(pod, from.address) };
    const server = serverEnd(at, listener);
    const client: ChannelEndpoint = { role: "Client", path: from.address };
    const id = `${formatAddress(from)} ${formatAddress(at)}`;
    return [
      internetFact(
        pod,
        { protocol: "TCP", scope: internetScope(server, client, inside), at, server, client },
        {
          condition: "Open",
          readings: [{ kind: "past", id }],
          openConnections: 0,
          evidence: [
            {
              source: "/proc/PID/net/tcp",
              detail: `connections in TIME_WAIT to ${formatAddress(at)}${inside.client ? ", client unknown" : ""}`,
            },
          ],
        },
      ),
    ];
  });
}

/** Servers that nobody in `edges` talks to. */
function idleListenerFacts(
  snapshot: PodSnapshot,
  listeners: Listeners,
  edges: readonly ChannelFact[],
): ChannelFact[] {
  const used = new Set(
    edges.flatMap((edge) =>
      edge.endpoints.flatMap(({ role, container }) =>
        role === "Server" && container !== undefined ? [`${container} ${edge.port}`] : [],
      ),
    ),
  );
  return [...listeners.all()].flatMap((listener) => {
    if (listener.process === undefined || used.has(`${listener.container} ${listener.port}`)) return [];
    const server = endpointOf(listener.process, "Server");
    return [
      internetFact(
        snapshot.pod,
        { protocol: "TCP", scope: "InterContainer", at: listener, server, client: undefined },
        {
          condition: "Listening",
          evidence: [{ source: "/proc/PID/net/tcp", detail: `listens on ${formatAddress(listener)}` }],
        },
      ),
    ];
  });
}
