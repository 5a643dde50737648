import type { UnixSocket } from "../host/sockets.ts";
import { deepUnixFacts } from "./deep/unix.ts";
import type { ChannelFact } from "./fact.ts";
import { mergeFacts } from "./internet-fact.ts";
import { Owners } from "./owners.ts";
import type { PodSnapshot } from "./snapshot.ts";
import { socketPlace, unixFact, unixTypes } from "./unix-fact.ts";

/**
 * Unix sockets by name: one channel per name, server container and client container. sock_diag(7) tells for each
 * socket its peer's inode, and for a listener the clients that it has not accepted; the name that a socket has is its
 * server's, as the server's container knows it.
 */
export function unixChannels(snapshot: PodSnapshot): ChannelFact[] {
  const owners = new Owners(snapshot.processes, "socket");
  const edges = mergeFacts([
    ...connectedFacts(snapshot, owners),
    ...pendingFacts(snapshot, owners),
    ...calledFacts(snapshot, owners),
    ...deepUnixFacts(snapshot, owners),
  ]);
  return [
    ...edges,
    ...idleServerFacts(snapshot, owners, edges),
    ...staleFacts(snapshot),
    ...unservedFacts(snapshot),
  ];
}

function connectedFacts(snapshot: PodSnapshot, owners: Owners): ChannelFact[] {
  const byInode = new Map(snapshot.unix.map((socket) => [socket.inode, socket]));
  const done = new Set<number>();
  return snapshot.unix.flatMap((socket) => {
    const peer = byInode.get(socket.peerInode ?? 0);
    if (peer === undefined || done.has(socket.inode)) return [];
    done.add(socket.inode);
    // A stream's two ends name each other; a datagram socket's peer need not name it back.
    if (peer.peerInode === socket.inode) done.add(peer.inode);
    const [server, client] =
      socket.name !== undefined && peer.name === undefined ? [socket, peer] : [peer, socket];
    if (server.name === undefined) return [];
    const serverProcess = owners.user(server.inode);
    const clientProcess = owners.user(client.inode);
    const isNew = ({ inode }: UnixSocket) => !snapshot.earlierSockets.has(inode);
    if (serverProcess === undefined && (clientProcess === undefined || isNew(server))) return [];
    if (clientProcess === undefined && isNew(client)) return [];
    return [
      unixFact(snapshot, server, serverProcess, clientProcess, {
        condition: "Open",
        detail: `inode ${client.inode} is connected to ${server.name} (inode ${server.inode})`,
        // A datagram server's one socket has many peers, and none is a connection.
        open: server.type === "datagram" ? undefined : 1,
        id: `${client.inode}`,
      }),
    ];
  });
}

function pendingFacts(snapshot: PodSnapshot, owners: Owners): ChannelFact[] {
  return snapshot.unix.flatMap((listener) => {
    if (!listener.listening) return [];
    return listener.pending.flatMap((inode) => {
      const client = owners.user(inode);
      const server = owners.holder(listener.inode);
      if (client === undefined || server === undefined) return [];
      return [
        unixFact(snapshot, listener, server, client, {
          condition: "Blocked",
          reason: `the server has not accepted the connection: ${listener.receiveQueue} wait in a backlog of ${listener.sendQueue}`,
          detail: `inode ${inode} waits to be accepted by ${listener.name}`,
          open: 1,
          id: `${inode}`,
        }),
      ];
    });
  });
}

/** Who called a server's socket since the last look, or ever: most connections are over by the time that anybody looks. */
function calledFacts(snapshot: PodSnapshot, owners: Owners): ChannelFact[] {
  return snapshot.unixCalls.flatMap(({ container, call, name, server: inode, count }) => {
    const socket = snapshot.unix.find((each) => each.inode === inode);
    const server = owners.holder(inode);
    if (socket === undefined || server === undefined) return [];
    const connects = call === "connect";
    const id = `${container} ${call} ${name}`;
    return [
      unixFact(
        snapshot,
        socket,
        server,
        { container },
        {
          condition: "Open",
          source: "BPF counters of the control group",
          detail: `${container}: ${count} ${connects ? "calls of connect(2)" : "datagrams"} to ${name}`,
          open: connects && socket.type !== "datagram" ? 0 : undefined,
          id: undefined,
          activity: `${count}`,
          readings: [
            connects
              ? { kind: "counted", id, ...(socket.type === "datagram" ? {} : { connections: count }) }
              : { kind: "counted", id, clientToServer: { operations: count } },
          ],
        },
      ),
    ];
  });
}

function idleServerFacts(
  snapshot: PodSnapshot,
  owners: Owners,
  edges: readonly ChannelFact[],
): ChannelFact[] {
  const used = new Set(
    edges.flatMap((edge) =>
      edge.endpoints.flatMap(({ role, container }) =>
        role === "Server" ? [`${edge.address} ${container}`] : [],
      ),
    ),
  );
  return snapshot.unix.flatMap((socket) => {
    const waits = socket.listening || (socket.type === "datagram" && socket.name !== undefined);
    const server = waits ? owners.holder(socket.inode) : undefined;
    if (server === undefined || socket.name === undefined) return [];
    const { address } = socketPlace(snapshot, socket, server);
    if (used.has(`${address} ${server.container}`)) return [];
    return [
      unixFact(snapshot, socket, server, undefined, {
        condition: "Listening",
        detail: `${server.name} listens on ${socket.name}`,
        open: undefined,
        id: undefined,
      }),
    ];
  });
}

/** Socket files in the pod's volumes to which no socket is bound any more: connect(2) gets ECONNREFUSED there. */
function staleFacts(snapshot: PodSnapshot): ChannelFact[] {
  // Without sock_diag(7) it isn't known which file a socket belongs to.
  const files = new Set(snapshot.unix.flatMap(({ file }) => (file === undefined ? [] : [file])));
  if (snapshot.tcpCounters === undefined) return [];
  return snapshot.files.flatMap((file) => {
    if (file.kind !== "socket" || files.has(file.identity)) return [];
    return [
      {
        key: `UnixStream ${file.identity} - -`,
        type: "UnixStream" as const,
        label: "unix",
        scope: "InterContainer" as const,
        address: file.label,
        endpoints: [],
        condition: "Stale" as const,
        reason: "the socket file is there, but nothing listens on it",
        readings: [],
        evidence: [{ source: "sock_diag", detail: `no socket is bound to the file ${file.label}` }],
      },
    ];
  });
}

/** Who connects to a path in a shared volume on which nobody listens. */
function unservedFacts({ unservedUnixCalls }: PodSnapshot): ChannelFact[] {
  return unservedUnixCalls.map(({ container, type, name, label, count }) => ({
    key: `${unixTypes[type]} ${label} unserved ${container}`,
    type: unixTypes[type],
    label: "unix",
    scope: "InterContainer",
    address: label,
    endpoints: [{ container, role: "Client", path: name }],
    condition: "Blocked",
    reason: `nothing listens on ${label}`,
    fleeting: true,
    activity: `${count}`,
    readings: [],
    evidence: [
      {
        source: "BPF counters of the control group",
        detail: `${container}: ${count} calls of connect(2) to ${name}, where nothing listens`,
      },
    ],
  }));
}
