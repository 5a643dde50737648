import { kubernetesTime } from "../../base/clock.ts";
import type { PodStatus, StoredPod } from "../../kube/types.ts";
import type { ContainerRecord } from "../../runtime/types.ts";
import { podConditions } from "./conditions.ts";
import { containerStatus, type Waiting } from "./container-status.ts";
import { type PodPhase, podPhase } from "./phase.ts";

/** What a pod's status is made of. */
export interface PodStatusParts {
  readonly pod: StoredPod;
  readonly records: readonly ContainerRecord[];
  readonly waiting: ReadonlyMap<string, Waiting>;
  readonly sandboxReady: boolean;
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
  /** Set when the node itself ended the pod (evicted, deadline exceeded). */
  readonly ended: { readonly phase: "Failed"; readonly reason: string; readonly message: string } | undefined;
  /** Whether the pod is being deleted, so that nothing of it will be restarted. */
  readonly terminating: boolean;
  readonly now: number;
}

/** The whole v1.PodStatus of a pod on this node, as the kubelet's generateAPIPodStatus makes it. Pure. */
export function podStatus(parts: PodStatusParts): PodStatus {
  const { pod, records, waiting, ended } = parts;
  const { spec } = pod;
  const previous = pod.status;
  const initDone = (spec.initContainers ?? []).every((container) =>
    records.some((record) => record.name === container.name && record.exitCode === 0),
  );
  const statusOf = (kind: "init" | "app") => (container: (typeof spec.containers)[number]) =>
    containerStatus({
      container,
      kind,
      records,
      waiting: waiting.get(container.name),
      initial: { reason: kind === "app" && initDone ? "ContainerCreating" : "PodInitializing" },
    });
  const initStatuses = (spec.initContainers ?? []).map(statusOf("init"));
  const statuses = spec.containers.map(statusOf("app"));

  const phase = finalPhase(
    previous?.phase,
    // Nothing restarts in a pod that is being deleted, so its phase is as under restartPolicy Never.
    ended?.phase ??
      podPhase(parts.terminating ? { ...spec, restartPolicy: "Never" } : spec, initStatuses, statuses),
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
      sandboxReady: parts.sandboxReady,
      previous: previous?.conditions ?? [],
      now: kubernetesTime(parts.now),
    }),
    ...(hostIPs[0] === undefined ? {} : { hostIP: hostIPs[0].ip, hostIPs }),
    ...(shownPodIPs[0] === undefined ? {} : { podIP: shownPodIPs[0].ip, podIPs: shownPodIPs }),
    startTime: previous?.startTime ?? kubernetesTime(parts.now),
    ...(initStatuses.length > 0 ? { initContainerStatuses: initStatuses } : {}),
    containerStatuses: statuses,
    ...(previous?.qosClass === undefined ? {} : { qosClass: previous.qosClass }),
    observedGeneration: pod.metadata.generation ?? 1,
  };
}

/** A pod that has ended never comes back (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/). */
function finalPhase(before: string | undefined, now: PodPhase): PodPhase {
  return before === "Succeeded" || before === "Failed" ? before : now;
}
