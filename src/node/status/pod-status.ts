import { kubernetesTime } from "../../base/clock.ts";
import type { PodAllocation } from "../../kube/pod-allocation.ts";
import { allContainers } from "../../kube/pod-containers.ts";
import { isEndedPhase } from "../../kube/pod-phase.ts";
import type { Container, ContainerStatus, PodStatus, StoredPod } from "../../kube/types.ts";
import type { ContainerRecord } from "../../runtime/types.ts";
import type { ContainerKind, PodEnd } from "../plan-types.ts";
import type { ResizeState } from "../resize/resize-types.ts";
import { isSidecar } from "../restart-rules.ts";
import { podConditions } from "./conditions.ts";
import { type ContainerStatusParts, containerStatus, type Waiting } from "./container-status.ts";
import { type PodPhase, podPhase } from "./phase.ts";

/** What a pod's status is made of. */
export interface PodStatusParts {
  readonly pod: StoredPod;
  /** Of the pod that the node has worked on last. */
  readonly generation: number;
  /** What the node has granted it. */
  readonly allocation: PodAllocation;
  readonly resize: ResizeState | undefined;
  readonly records: readonly ContainerRecord[];
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** What probes say of running containers. */
  readonly health: ContainerStatusParts["health"];
  /** Containers whose postStart hook has not returned. */
  readonly inHook: ReadonlySet<string>;
  readonly sandboxReady: boolean;
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
  /** Ids of containers that were stopped in order to run again. */
  readonly restarting: ReadonlySet<string>;
  /** Set when the node itself ended the pod (evicted, deadline exceeded). */
  readonly ended: PodEnd | undefined;
  /** Whether the pod is being deleted, so that nothing of it will be restarted. */
  readonly terminating: boolean;
  /** Whether that has been done: all its containers have been stopped. */
  readonly terminated: boolean;
  readonly now: number;
}

/** All termination messages of a pod together are at most this long (the kubelet's limit). */
const messageBytesOfPod = 12 * 1024;

/** The whole v1.PodStatus of a pod on this node, as the kubelet's generateAPIPodStatus makes it. Pure. */
export function podStatus(parts: PodStatusParts): PodStatus {
  const { pod } = parts;
  const { spec } = pod;
  const previous = pod.status;
  const initStatuses = (spec.initContainers ?? []).map((container) =>
    statusOf(parts, container, isSidecar(container) ? "sidecar" : "init"),
  );
  const statuses = spec.containers.map((container) => statusOf(parts, container, "app"));
  const ephemeral = (spec.ephemeralContainers ?? []).map((container) =>
    statusOf(parts, container, "ephemeral"),
  );

  const { phase, ended } = shownPhase(
    parts,
    // Nothing restarts in a pod that is being deleted, so its phase is as if nothing ever did.
    parts.terminating
      ? podPhase(withoutRestarts(spec), initStatuses, statuses)
      : podPhase(spec, initStatuses, statuses, returning(parts)),
  );
  const hostIPs = parts.hostIPs.map((ip) => ({ ip }));
  const podIPs = spec.hostNetwork === true ? hostIPs : parts.podIPs.map((ip) => ({ ip }));
  const shownPodIPs = podIPs.length > 0 ? podIPs : (previous?.podIPs ?? []);
  return {
    phase,
    ...(ended === undefined ? {} : { reason: ended.reason, message: ended.message }),
    conditions: podConditions({
      spec,
      phase,
      initStatuses,
      statuses,
      sandboxReady: parts.sandboxReady && !parts.terminated,
      previous: previous?.conditions ?? [],
      generation: parts.generation,
      resize: parts.resize,
      allocatedGeneration: parts.allocation.generation,
      now: kubernetesTime(parts.now),
    }),
    ...(hostIPs[0] === undefined ? {} : { hostIP: hostIPs[0].ip, hostIPs }),
    ...(shownPodIPs[0] === undefined ? {} : { podIP: shownPodIPs[0].ip, podIPs: shownPodIPs }),
    startTime: previous?.startTime ?? kubernetesTime(parts.now),
    ...(initStatuses.length > 0 ? { initContainerStatuses: initStatuses } : {}),
    containerStatuses: statuses,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    ...(previous?.qosClass === undefined ? {} : { qosClass: previous.qosClass }),
    ...podResources(parts),
    observedGeneration: parts.generation,
  };
}

/** What a pod that says what it asks for as a whole was granted, and what its cgroup has by now. */
function podResources({ pod, allocation, resize }: PodStatusParts): Partial<PodStatus> {
  const granted = allocation.pod;
  if (granted === undefined) return {};
  const { status } = pod;
  return {
    ...(granted.requests === undefined ? {} : { allocatedResources: granted.requests }),
    resources: resize?.inProgress === undefined ? granted : (status?.resources ?? granted),
  };
}

function statusOf(parts: PodStatusParts, container: Container, kind: ContainerKind) {
  const { records, waiting, health, inHook, allocation } = parts;
  const { spec } = parts.pod;
  return containerStatus({
    container,
    kind,
    records,
    allocated: allocation.containers[container.name],
    health,
    isInHook: inHook.has(container.name),
    waiting: waiting.get(container.name),
    last: parts.terminating ? lastOf(parts.pod, kind, container.name) : undefined,
    // As long as a pod was not initialized its app containers were not to run.
    isOver: parts.terminated && kind === "app" && (isInitialized(parts) || hasStarted(parts)),
    initial: {
      reason: kind === "ephemeral" || isInitialized(parts) ? "ContainerCreating" : "PodInitializing",
    },
    messageBytes: Math.floor(messageBytesOfPod / allContainers(spec).length),
  });
}

function lastOf({ status }: StoredPod, kind: ContainerKind, name: string): ContainerStatus | undefined {
  const shown =
    kind === "app"
      ? status?.containerStatuses
      : kind === "ephemeral"
        ? status?.ephemeralContainerStatuses
        : status?.initContainerStatuses;
  return shown?.find((each) => each.name === name);
}

function returning({ records, restarting }: PodStatusParts): ReadonlySet<string> {
  return new Set(records.filter(({ id }) => restarting.has(id)).map(({ name }) => name));
}

function hasStarted({ pod, records }: PodStatusParts): boolean {
  return pod.spec.containers.some(({ name }) => records.some((record) => record.name === name));
}

/** Without init containers a pod is initialized from the beginning. */
function isInitialized({ pod, records, health, terminated }: PodStatusParts): boolean {
  return (pod.spec.initContainers ?? []).every((container) =>
    records.some(
      (record) =>
        record.name === container.name &&
        // Of a sidecar that was stopped nothing tells whether its startup probe had succeeded.
        (isSidecar(container)
          ? (terminated && container.startupProbe === undefined) || health(record).started
          : record.exitCode === 0),
    ),
  );
}

/**
 * A pod that has ended never comes back, has not ended as long as one of its containers runs, and has ended when it was terminated
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/).
 */
function shownPhase(
  { pod, ended, records, terminated }: PodStatusParts,
  computed: PodPhase,
): { phase: PodPhase; ended: PodEnd | undefined } {
  const before = pod.status?.phase;
  if (isEndedPhase(before)) {
    const { reason, message } = pod.status ?? {};
    const told =
      reason === undefined ? undefined : ({ phase: "Failed", reason, message: message ?? "" } as const);
    return { phase: before, ended: ended ?? told };
  }
  const phase = ended?.phase ?? (terminated && !isEndedPhase(computed) ? "Failed" : computed);
  if (!isEndedPhase(phase) || records.every((record) => record.phase === "Exited")) return { phase, ended };
  return { phase: before === "Running" ? "Running" : "Pending", ended: undefined };
}

function withoutRestarts(spec: StoredPod["spec"]): StoredPod["spec"] {
  const never = (container: Container): Container => {
    const { restartPolicyRules: _, ...rest } = container;
    return isSidecar(container) ? rest : { ...rest, restartPolicy: "Never" };
  };
  return {
    ...spec,
    restartPolicy: "Never",
    containers: spec.containers.map((container) => never({ ...container, restartPolicy: "Never" })),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(never) }),
  };
}
