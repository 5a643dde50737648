import type { Pod } from "./types.ts";

/**
 * Whether a pod in this phase has ended: all its containers are over and none comes back
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase).
 */
export function isEndedPhase(phase: string | undefined): phase is "Succeeded" | "Failed" {
  return phase === "Succeeded" || phase === "Failed";
}

/** Whether the pod's Ready condition holds. */
export function isPodReady({ status }: Pick<Pod, "status">): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}
