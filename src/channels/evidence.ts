import { posix } from "node:path";
import type { Scope } from "../base/scope.ts";
import { readFileAccess, readFileSystemSpace, readProcessCredentials } from "../host/file-access.ts";
import { readProcessIdentity, resolveInRoot } from "../host/proc.ts";
import type {
  AttemptEvidence,
  ContainerEvidence,
  EvidenceSource,
  ListenerEvidence,
  PathEvidence,
  PodEvidence,
  UnixServerEvidence,
} from "./evidence-types.ts";
import { Owners } from "./owners.ts";
import { PodSampler } from "./pod-sampler.ts";
import type { PodSnapshot } from "./snapshot.ts";
import type { ObservedContainer, ObservedPod, PodSource } from "./types.ts";
import { pathInContainer, volumePath } from "./volume-paths.ts";

/**
 * Evidence about the running pods of `pods`. Each look opens the pod's tables for itself, so that nothing is kept for pods
 * that nobody asks about.
 */
export function createEvidenceSource(pods: PodSource): EvidenceSource {
  return {
    async look(podUID, paths, scope) {
      const pod = pods.runningPods().find(({ uid }) => uid === podUID);
      if (pod === undefined) return undefined;
      return lookAt(pod, paths, scope);
    },
  };
}

async function lookAt(
  pod: ObservedPod,
  paths: readonly { container: string; path: string }[],
  scope: Scope,
): Promise<PodEvidence> {
  const takenAt = scope.clock.now();
  const sampler = new PodSampler();
  try {
    const { snapshot, missing } =
      pod.containers.length === 0 ? { snapshot: undefined, missing: [] } : await sampler.look(pod, takenAt);
    return {
      takenAt,
      ips: pod.ips,
      containers: pod.containers.map(containerEvidence),
      listeners: snapshot === undefined ? [] : listeners(snapshot),
      attempts: snapshot === undefined ? undefined : attempts(snapshot),
      unixServers: snapshot === undefined ? [] : unixServers(snapshot),
      paths: paths.map(({ container, path }) => pathEvidence(pod, container, path)),
      missing,
    };
  } finally {
    sampler.close();
  }
}

function containerEvidence({ name, pid }: ObservedContainer): ContainerEvidence {
  const identity = readProcessIdentity(pid);
  return {
    name,
    hostPID: pid,
    pid: identity?.namespacePID,
    process: identity?.name ?? "",
    credentials: readProcessCredentials(pid),
    sharedMemory: readFileSystemSpace(`/proc/${pid}/root/dev/shm`),
  };
}

/** The sockets that wait for clients and whose owner is in the pod: a pod on the host's network sees all of them. */
function listeners({ processes, tcp, udp }: PodSnapshot): ListenerEvidence[] {
  const owners = new Owners(processes, "socket");
  const found = [
    ...tcp.filter(({ state }) => state === "Listen").map((socket) => ({ protocol: "TCP" as const, socket })),
    ...udp.filter(({ state }) => state === "Close").map((socket) => ({ protocol: "UDP" as const, socket })),
  ];
  return found.flatMap(({ protocol, socket: { inode, family, local } }) => {
    const owner = owners.holder(inode);
    if (owner === undefined) return [];
    return [
      { protocol, family, ...local, container: owner.container, process: owner.name, hostPID: owner.hostPID },
    ];
  });
}

/** How often which container tried to connect where, as its counters have it. */
function attempts({ counts }: PodSnapshot): AttemptEvidence[] | undefined {
  return counts
    ?.filter(({ kind }) => kind === "Called")
    .map(({ container, address, port, attempts, count }) => ({
      container,
      address,
      port,
      attempts,
      answered: count,
    }));
}

function unixServers({ pod, processes, unix, files }: PodSnapshot): UnixServerEvidence[] {
  const owners = new Owners(processes, "socket");
  return unix.flatMap(({ name, listening, type, inode, file: identity }) => {
    const owner = listening || type === "datagram" ? owners.holder(inode) : undefined;
    if (name === undefined || owner === undefined) return [];
    const inVolume = files.find((each) => each.kind === "socket" && each.identity === identity);
    const label = inVolume?.label ?? volumePath(pod, owner.container, name)?.label;
    const path =
      inVolume?.hostPath ?? (name.startsWith("@") ? undefined : resolveInRoot(owner.hostPID, name));
    return [
      {
        container: owner.container,
        process: owner.name,
        type,
        name,
        label,
        file: path === undefined ? undefined : readFileAccess(path),
      },
    ];
  });
}

function pathEvidence(pod: ObservedPod, container: string, path: string): PathEvidence {
  const pid = pod.containers.find(({ name }) => name === container)?.pid;
  const inVolume = volumePath(pod, container, path);
  // A container that does not run has no root any more, but its volumes are still there.
  const place = (at: string): string | undefined =>
    pid === undefined ? volumePath(pod, container, at)?.hostPath : resolveInRoot(pid, at);
  const access = (at: string) => {
    const found = place(at);
    return found === undefined ? undefined : readFileAccess(found);
  };
  return {
    container,
    path,
    file: access(path),
    label: inVolume?.label,
    folder: nearestFolder(path, access),
    elsewhere: pod.volumes
      .filter(({ name }) => name === inVolume?.volume.name)
      .flatMap(({ mounts }) =>
        mounts
          .filter((mount) => mount.container !== container)
          .map((mount) => ({
            container: mount.container,
            path: pathInContainer(pod, mount.container, inVolume?.label ?? "") ?? mount.mountPath,
          })),
      ),
  };
}

function nearestFolder(path: string, access: (path: string) => PathEvidence["file"]): PathEvidence["folder"] {
  for (let folder = posix.dirname(posix.normalize(path)); ; folder = posix.dirname(folder)) {
    const found = access(folder);
    if (found !== undefined) return { path: folder, access: found };
    if (folder === "/" || folder === ".") return undefined;
  }
}
