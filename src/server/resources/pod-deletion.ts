import { kubernetesTime } from "../../base/clock.ts";
import { isEndedPhase } from "../../kube/pod-phase.ts";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import type { DeleteOptions } from "../resource.ts";

const defaultGraceSeconds = 30;

/**
 * The pod with its time of death set, for the node agent to carry out, or undefined when it goes at once: with
 * grace 0 and when all its containers have ended anyway. A second deletion may only bring the time forward.
 * Rules: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination.
 */
export function awaitPodDeletion(
  current: KubernetesObject,
  options: DeleteOptions,
  now: number,
): KubernetesObject | undefined {
  const { spec, status, metadata } = current as unknown as StoredPod;
  const ended = isEndedPhase(status?.phase);
  const asked = options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? defaultGraceSeconds;
  // A negative grace is the smallest one that still waits.
  const grace = asked < 0 ? 1 : asked;
  if (metadata.deletionTimestamp === undefined) {
    // Nobody runs a pod that has no node yet.
    const isBound = (spec.nodeName ?? "") !== "";
    if (grace === 0 || ended || !isBound) return withFinalizers(current, now);
    return marked(current, now + grace * 1_000, grace);
  }

  if (options.gracePeriodSeconds === undefined) return current;
  const earlier = metadata.deletionGracePeriodSeconds ?? 0;
  if (grace === 0) return withFinalizers(current, now);
  if (grace >= earlier) return current;
  const askedAt = Date.parse(metadata.deletionTimestamp) - earlier * 1_000;
  return marked(current, askedAt + grace * 1_000, grace);
}

/** Finalizers hold back even an immediate deletion. */
function withFinalizers(current: KubernetesObject, now: number): KubernetesObject | undefined {
  return (current.metadata.finalizers ?? []).length === 0 ? undefined : marked(current, now, 0);
}

function marked(current: KubernetesObject, deadline: number, grace: number): KubernetesObject {
  const deletion = { deletionTimestamp: kubernetesTime(deadline), deletionGracePeriodSeconds: grace };
  return { ...current, metadata: { ...current.metadata, ...deletion } };
}
