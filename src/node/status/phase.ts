import type { ContainerStatus, PodSpec } from "../../kube/types.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

/**
 * The pod's phase from its containers' states, by the kubelet's rules
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase). Pure.
 */
export function podPhase(
  spec: PodSpec,
  initStatuses: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
): PodPhase {
  const restartPolicy = spec.restartPolicy ?? "Always";
  const anyAppStarted = statuses.some((status) => status.containerID !== undefined);
  for (const status of initStatuses) {
    const terminated = status.state?.terminated ?? status.lastState?.terminated;
    if (anyAppStarted || status.state?.terminated?.exitCode === 0) continue;
    return terminated !== undefined && restartPolicy === "Never" && status.state?.running === undefined
      ? "Failed"
      : "Pending";
  }

  const count = (wanted: Activity) => statuses.filter((status) => activity(status) === wanted).length;
  if (count("waiting") > 0) return "Pending";
  if (count("running") > 0 && count("unknown") === 0) return "Running";
  if (count("unknown") > 0 || statuses.length === 0) return "Pending";
  if (restartPolicy === "Always") return "Running";
  if (count("failed") === 0) return "Succeeded";
  // A container waiting for its restart counts as failed, but its pod goes on.
  const resting = statuses.some((status) => status.state?.waiting !== undefined);
  return restartPolicy === "Never" && !resting ? "Failed" : "Running";
}

type Activity = "running" | "waiting" | "succeeded" | "failed" | "unknown";

function activity({ state, lastState }: ContainerStatus): Activity {
  if (state?.running !== undefined) return "running";
  if (state?.terminated !== undefined) return state.terminated.exitCode === 0 ? "succeeded" : "failed";
  if (state?.waiting !== undefined) return lastState?.terminated === undefined ? "waiting" : "failed";
  return "unknown";
}
