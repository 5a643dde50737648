import type { UnixSocket } from "../host/sockets.ts";
import { type ChannelFact, endpointOf, type Reading, scopeWithin } from "./fact.ts";
import type { ObservedProcess, PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint, ChannelScope, ChannelType, Evidence } from "./types.ts";
import { pathInContainer, volumePath } from "./volume-paths.ts";

export const unixTypes = {
  stream: "UnixStream",
  datagram: "UnixDatagram",
  seqpacket: "UnixSeqpacket",
} as const;

/** A named Unix socket, as much as is known of it. */
export type NamedSocket = Pick<UnixSocket, "type" | "name" | "file">;

/** What tells one named socket from the others: its file, or its abstract name. */
function identityOf(socket: NamedSocket): string {
  return socket.file ?? socket.name ?? "";
}

/** Where the socket is: by the volume that its file is in, else by its name. */
export function socketPlace(
  snapshot: PodSnapshot,
  socket: NamedSocket,
  server: ObservedProcess | undefined,
): { address: string; label: string | undefined } {
  const file = snapshot.files.find(({ identity, kind }) => kind === "socket" && identity === socket.file);
  const name = socket.name ?? "";
  const label =
    file?.label ??
    (server === undefined ? undefined : volumePath(snapshot.pod, server.container, name)?.label);
  return { address: label ?? name, label };
}

/** The fact of an edge; `client` is a process, a container of which no more is known, or unknown. */
export function unixFact(
  snapshot: PodSnapshot,
  socket: NamedSocket,
  serverProcess: ObservedProcess | undefined,
  clientEnd: ObservedProcess | { readonly container: string; readonly hostPID?: undefined } | undefined,
  observed: {
    readonly condition: ChannelFact["condition"];
    readonly reason?: string;
    readonly detail: string;
    readonly open: number | undefined;
    /** Of the connection. */
    readonly id: string | undefined;
    readonly source?: string;
    readonly activity?: string;
    readonly readings?: readonly Reading[];
  },
): ChannelFact {
  const { address, label } = socketPlace(snapshot, socket, serverProcess);
  const path = (process: { container: string }) =>
    label === undefined ? undefined : pathInContainer(snapshot.pod, process.container, label);
  const server: ChannelEndpoint =
    serverProcess === undefined
      ? { role: "Server" }
      : endpointOf(serverProcess, "Server", path(serverProcess));
  const idle = observed.condition === "Listening";
  const client: ChannelEndpoint[] = idle
    ? []
    : [
        clientEnd === undefined
          ? { role: "Client" }
          : clientEnd.hostPID === undefined
            ? { container: clientEnd.container, role: "Client" }
            : endpointOf(clientEnd, "Client", path(clientEnd)),
      ];
  const evidence: Evidence = { source: observed.source ?? "sock_diag", detail: observed.detail };
  const type: ChannelType = unixTypes[socket.type];
  const scope: ChannelScope =
    serverProcess === undefined
      ? "Egress"
      : !idle && clientEnd === undefined
        ? "Ingress"
        : scopeWithin([server, ...client]);
  return {
    key: `${type} ${identityOf(socket)} ${server.container ?? "?"} ${idle ? "-" : (client[0]?.container ?? "?")}`,
    type,
    label: "unix",
    scope,
    address,
    endpoints: [server, ...client],
    condition: observed.condition,
    ...(observed.reason === undefined ? {} : { reason: observed.reason }),
    ...(observed.open === undefined ? {} : { openConnections: observed.open }),
    ...(observed.activity === undefined ? {} : { activity: observed.activity }),
    readings:
      observed.readings ?? (observed.id === undefined ? [] : [{ kind: "connection", id: observed.id }]),
    evidence: [evidence],
  };
}
