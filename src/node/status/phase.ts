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

  let unknown = 0;
  let running = 0;
  let waiting = 0;
  let succeeded = 0;
  let failed = 0;
  for (const { state, lastState } of statuses) {
    if (state?.running !== undefined) running += 1;
    else if (state?.terminated !== undefined)
      state.terminated.exitCode === 0 ? (succeeded += 1) : (failed += 1);
    else if (state?.waiting !== undefined)
      lastState?.terminated === undefined ? (waiting += 1) : (failed += 1);
    else unknown += 1;
  }
  if (waiting > 0) return "Pending";
  if (running > 0 && unknown === 0) return "Running";
  if (running === 0 && unknown === 0 && succeeded + failed > 0) {
    if (restartPolicy === "Always") return "Running";
    if (failed === 0) return "Succeeded";
    // A container waiting for its restart counts as failed, but its pod goes on.
    const resting = statuses.some((status) => status.state?.waiting !== undefined);
    return restartPolicy === "Never" && !resting ? "Failed" : "Running";
  }
  return "Pending";
}
