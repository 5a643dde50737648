import { kubernetesTime } from "../../base/clock.ts";
import type { PodCondition, StoredPod } from "../../kube/types.ts";
import type { ApiContext } from "../request.ts";

/**
 * Binds a pod to this node, the only one there is, unless it is bound already or gates hold it back
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/), and says which in its condition
 * PodScheduled. A pod that somebody bound to another node stays there, and nobody runs it. Idempotent.
 */
export function schedulePod(
  pod: StoredPod,
  { nodeName, scope }: Pick<ApiContext, "nodeName" | "scope">,
): void {
  const isGated = (pod.spec.schedulingGates ?? []).length > 0;
  if (!isGated) pod.spec.nodeName ??= nodeName;
  const { conditions = [], ...status } = pod.status ?? {};
  const before = conditions.find(({ type }) => type === "PodScheduled");
  if (before?.status === (isGated ? "False" : "True")) return;
  const lastTransitionTime = kubernetesTime(scope.clock.now());
  const condition: PodCondition = isGated
    ? {
        type: "PodScheduled",
        status: "False",
        lastTransitionTime,
        reason: "SchedulingGated",
        message: "Scheduling is blocked due to non-empty scheduling gates",
      }
    : { type: "PodScheduled", status: "True", lastTransitionTime };
  pod.status = { ...status, conditions: [...conditions.filter((each) => each !== before), condition] };
}

/** Gates may be taken away, never added, once a pod is there. */
export function schedulingGateProblems(next: StoredPod, current: StoredPod) {
  const before = new Set((current.spec.schedulingGates ?? []).map(({ name }) => name));
  return (next.spec.schedulingGates ?? [])
    .filter(({ name }) => !before.has(name))
    .map(({ name }) => ({
      field: "spec.schedulingGates",
      reason: "FieldValueForbidden",
      message: `Forbidden: only deletion is allowed, but found new scheduling gate ${JSON.stringify(name)}`,
    }));
}
