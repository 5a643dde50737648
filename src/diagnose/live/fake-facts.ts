import type { ListenerEvidence, PathEvidence, PodEvidence } from "../../channels/evidence-types.ts";
import type { Channel } from "../../channels/types.ts";
import type { Container, ContainerState, StoredPod } from "../../kube/types.ts";
import type { LiveFacts, LogLine } from "./view.ts";

/** Now, in all fake facts. */
export const fakeNow = Date.parse("2026-01-01T00:10:00Z");

/** Facts of a pod of containers `a` and `b` that have run for ten minutes; whatever isn't given is healthy and empty. For tests only. */
export function fakeFacts(
  parts: {
    readonly a?: Partial<Container>;
    readonly b?: Partial<Container>;
    readonly spec?: Partial<StoredPod["spec"]>;
    /** Name of the Job whose pod it is. */
    readonly job?: string | undefined;
    /** By container: its state, and how its last instance ended. */
    readonly states?: Readonly<
      Record<
        string,
        {
          state?: ContainerState;
          lastState?: ContainerState;
          ready?: boolean;
          restartCount?: number;
        }
      >
    >;
    readonly evidence?: Partial<PodEvidence>;
    readonly channels?: readonly Channel[];
    readonly log?: readonly Partial<LogLine>[];
    readonly warnings?: LiveFacts["warnings"];
    readonly services?: LiveFacts["services"];
    readonly firewalls?: LiveFacts["firewalls"];
  } = {},
): LiveFacts {
  const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };
  const containers = [
    { name: "a", image: "a", ...parts.a },
    { name: "b", image: "b", ...parts.b },
  ];
  const statusOf = ({ name, image = "" }: { name: string; image?: string }) => ({
    name,
    image,
    imageID: "",
    ready: true,
    started: true,
    restartCount: 0,
    state: running,
    lastState: {},
    ...parts.states?.[name],
  });
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "pod",
      namespace: "default",
      uid: "0000",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(parts.job === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: parts.job, uid: "1" }] }),
    },
    spec: { containers, ...parts.spec },
    status: {
      initContainerStatuses: (parts.spec?.initContainers ?? []).map(statusOf),
      containerStatuses: containers.map(statusOf),
    },
  } as StoredPod;
  return {
    pod,
    now: fakeNow,
    channels: parts.channels ?? [],
    evidence: {
      takenAt: fakeNow,
      ips: ["10.88.0.2"],
      containers: [],
      listeners: [],
      attempts: [],
      unixServers: [],
      paths: [],
      missing: [],
      ...parts.evidence,
    },
    log: (parts.log ?? []).map((line) => ({
      container: "a",
      previous: false,
      at: fakeNow - 1_000,
      text: "",
      ...line,
    })),
    warnings: parts.warnings ?? [],
    services: parts.services ?? [],
    firewalls: parts.firewalls ?? [],
  };
}

/** A TCP listener of container `b`. */
export function fakeListener(address: string, port: number, container = "b"): ListenerEvidence {
  const family = address.includes(":") ? 6 : 4;
  return { protocol: "TCP", family, address, port, container, process: "server", hostPID: 20 };
}

/** What is at a path in container `a`. */
export function fakePath(path: string, parts: Partial<PathEvidence> = {}): PathEvidence {
  return {
    container: "a",
    path,
    file: undefined,
    label: undefined,
    folder: undefined,
    elsewhere: [],
    ...parts,
  };
}

/** A channel; whatever isn't given is that of a refused connection of container `a` to 127.0.0.1:8080. */
export function fakeChannel(
  spec: Partial<Channel["spec"]> = {},
  status: Partial<Channel["status"]> = {},
): Channel {
  return {
    apiVersion: "peapod.dev/v1alpha1",
    kind: "Channel",
    metadata: { name: "c", namespace: "default", labels: {}, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: {
      pod: "pod",
      podUID: "0000",
      type: "TCP",
      scope: "InterContainer",
      address: "127.0.0.1:8080",
      port: 8080,
      ...spec,
    },
    status: {
      state: "Blocked",
      needsPort: true,
      endpoints: [{ container: "a", role: "Client" }],
      firstSeen: "2026-01-01T00:00:00Z",
      lastSeen: "2026-01-01T00:10:00Z",
      evidence: [{ source: "BPF counters of the control group", detail: "a: 3 attempts" }],
      ...status,
    },
  };
}
