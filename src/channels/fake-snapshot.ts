import type { InternetSocket, SocketState, UnixSocket } from "../host/sockets.ts";
import type { Access, Descriptor, FileUse, ObservedProcess, PodSnapshot } from "./snapshot.ts";
import type { ObservedPod } from "./types.ts";

/** Snapshots written by hand, for tables of the joins: whatever isn't given is empty. */
export function fakeSnapshot(parts: Partial<PodSnapshot> = {}): PodSnapshot {
  return {
    pod: fakePod,
    takenAt: 0,
    processes: [],
    tcp: [],
    udp: [],
    unix: [],
    tcpCounters: [],
    sharedMemory: [],
    semaphores: [],
    semaphoreOperators: new Map(),
    messageQueues: [],
    counts: [],
    files: [],
    watched: new Map(),
    fifoUses: [],
    fileUses: [],
    unixCalls: [],
    unservedUnixCalls: [],
    waitingOpens: [],
    earlierSockets: new Set(),
    knownListeners: [],
    deep: undefined,
    ...parts,
  };
}

/** A pod of containers `a` and `b`; `a` declares port 8080. Both mount the volume `data`, at /data and /mnt. */
export const fakePod: ObservedPod = {
  uid: "0000",
  namespace: "default",
  name: "pod",
  netns: "/run/net",
  ipcns: "/run/ipc",
  cgroup: "/peapod/pod1",
  ips: ["10.88.0.2"],
  shm: "/run/shm",
  containers: [
    { name: "a", id: "a0", pid: 10, cgroup: "/a", ports: [{ containerPort: 8080, protocol: "TCP" }] },
    { name: "b", id: "b0", pid: 20, cgroup: "/b", ports: [] },
  ],
  volumes: [
    {
      name: "data",
      hostPath: "/host/data",
      mounts: [
        { container: "a", mountPath: "/data" },
        { container: "b", mountPath: "/mnt" },
      ],
    },
  ],
};

/** A process that has these descriptors. */
export function fakeProcess(
  container: string,
  hostPID: number,
  descriptors: readonly Partial<Descriptor>[] = [],
  parts: Partial<ObservedProcess> = {},
): ObservedProcess {
  return {
    container,
    hostPID,
    pid: 1,
    name: `${container}-program`,
    descriptors: descriptors.map((descriptor, index) => ({
      fd: index + 3,
      link: "",
      kind: "socket",
      inode: undefined,
      identity: undefined,
      access: undefined,
      position: undefined,
      size: undefined,
      modifiedAt: undefined,
      ...descriptor,
    })),
    mappings: [],
    calls: [],
    ...parts,
  };
}

/** An event: a container closed a file. */
export function fakeUse(
  container: string,
  access: Access,
  label: string,
  identity: string,
  parts: Partial<FileUse> = {},
): FileUse {
  return {
    identity,
    kind: "file",
    label,
    access,
    container,
    hostPID: 99,
    pid: undefined,
    process: undefined,
    at: 0,
    ...parts,
  };
}

/** A row of a table, its addresses as `127.0.0.1:80`. */
export function fakeSocket(
  local: string,
  remote: string,
  state: SocketState,
  inode: number,
  parts: Partial<InternetSocket> = {},
): InternetSocket {
  const parse = (text: string) => {
    const colon = text.lastIndexOf(":");
    return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
  };
  return {
    family: 4,
    local: parse(local),
    remote: parse(remote),
    state,
    sendQueue: 0,
    receiveQueue: 0,
    inode,
    timer: 0,
    drops: 0,
    ...parts,
  };
}

/** A Unix socket: an unnamed stream without a peer, where nothing else is said. */
export function fakeUnixSocket(inode: number, parts: Partial<UnixSocket> = {}): UnixSocket {
  return {
    type: "stream",
    listening: false,
    name: undefined,
    inode,
    peerInode: 0,
    file: undefined,
    pending: [],
    receiveQueue: 0,
    sendQueue: 0,
    ...parts,
  };
}
