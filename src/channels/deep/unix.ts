import type { UnixSocket } from "../../host/sockets.ts";
import type { ChannelFact } from "../fact.ts";
import type { Owners } from "../owners.ts";
import type { PodSnapshot } from "../snapshot.ts";
import { type NamedSocket, unixFact } from "../unix-fact.ts";
import { volumePath } from "../volume-paths.ts";
import type { DeepCounts } from "./counts.ts";
import { deepEvidence } from "./evidence.ts";

/**
 * Clients of Unix sockets, however short their connections were, with what they sent and received; and who sent
 * datagrams without being connected. The server is who listens at that file or abstract name now.
 */
export function deepUnixFacts(snapshot: PodSnapshot, owners: Owners): ChannelFact[] {
  const { deep } = snapshot;
  if (deep === undefined) return [];
  return [
    ...deep.unix.flatMap((client) => clientFact(snapshot, owners, deep, client)),
    ...deep.datagrams.flatMap((datagrams) => datagramFact(snapshot, owners, deep, datagrams)),
  ];
}

/** Those that others can reach: they listen, or are datagram sockets with a name. */
function servers(snapshot: PodSnapshot): UnixSocket[] {
  return snapshot.unix.filter(
    ({ listening, type, name }) => listening || (type === "datagram" && name !== undefined),
  );
}

function clientFact(
  snapshot: PodSnapshot,
  owners: Owners,
  { since }: DeepCounts,
  { container, type, identity, name, sent, received, connections }: DeepCounts["unix"][number],
): ChannelFact[] {
  const candidates = servers(snapshot).filter((socket) => socket.type === type);
  const server =
    candidates.find(({ file }) => identity !== undefined && file === identity) ??
    candidates.find((socket) => socket.name === name);
  // The runtime's own sockets end with the process that it starts.
  if (server === undefined && connections === 0) return [];
  const socket: NamedSocket = server ?? { type, name, file: identity };
  const process = server === undefined ? undefined : owners.holder(server.inode);
  return [
    unixFact(
      snapshot,
      socket,
      process,
      { container },
      {
        condition: "Open",
        source: "bpftrace",
        detail: deepEvidence(
          since,
          `${container}: ${connections} connections to ${name}, ${sent.operations} times sent, ${received.operations} times received`,
        ).detail,
        open: type === "datagram" ? undefined : 0,
        id: undefined,
        activity: `${connections} ${sent.bytes} ${received.bytes}`,
        readings: [
          {
            kind: "deep",
            id: `${container} ${identity} ${name}`,
            since,
            ...(type === "datagram" ? {} : { connections }),
            clientToServer: sent,
            serverToClient: received,
          },
        ],
      },
    ),
  ];
}

function datagramFact(
  snapshot: PodSnapshot,
  owners: Owners,
  { since }: DeepCounts,
  { container, to, bytes, operations }: DeepCounts["datagrams"][number],
): ChannelFact[] {
  if (!("path" in to)) return [];
  const { path } = to;
  // A path is the sender's own: the socket that is meant is the one whose file is at that place of the volume.
  const label = volumePath(snapshot.pod, container, path)?.label;
  const file = snapshot.files.find((each) => each.kind === "socket" && each.label === label)?.identity;
  const server = servers(snapshot).find(
    (socket) =>
      socket.type === "datagram" &&
      (file !== undefined ? socket.file === file : path.startsWith("@") && socket.name === path),
  );
  const socket: NamedSocket = server ?? { type: "datagram", name: label ?? path, file };
  const process = server === undefined ? undefined : owners.holder(server.inode);
  return [
    unixFact(
      snapshot,
      socket,
      process,
      { container },
      {
        condition: "Open",
        source: "bpftrace",
        detail: deepEvidence(since, `${container}: ${operations} datagrams sent to ${path}`).detail,
        open: undefined,
        id: undefined,
        activity: `${bytes}`,
        readings: [
          { kind: "deep", id: `${container} to ${path}`, since, clientToServer: { bytes, operations } },
        ],
      },
    ),
  ];
}
