import type { Container, ContainerStatus, PodSpec } from "../../kube/types.ts";
import { isSidecar, restartsAfter } from "../restart-rules.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

/**
 * The pod's phase from its containers' states, by the kubelet's rules; `returning` names containers that were
 * stopped in order to run again
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase). Pure.
 */
export function podPhase(
  spec: PodSpec,
  initStatuses: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
  returning: ReadonlySet<string> = new Set(),
): PodPhase {
  const anyAppStarted = statuses.some((status) => status.containerID !== undefined);
  const initContainers = (spec.initContainers ?? []).map((container) => activityOf(container, initStatuses));
  const plain = initContainers.filter(({ container }) => !isSidecar(container));
  const sidecars = initContainers.filter(({ container }) => isSidecar(container));

  if (!anyAppStarted) {
    if (plain.some((one) => one.activity === "failed" && !comesBack(spec, one))) return "Failed";
    if (plain.some((one) => one.activity !== "succeeded")) return "Pending";
    if (sidecars.some(({ activity, status }) => activity !== "running" || status?.started !== true)) {
      return "Pending";
    }
  }

  const apps = spec.containers.map((container) => activityOf(container, statuses));
  const count = (wanted: Activity) => apps.filter(({ activity }) => activity === wanted).length;
  if (count("waiting") > 0 || sidecars.some(({ activity }) => activity === "waiting")) return "Pending";
  const running = count("running") > 0 || sidecars.some(({ activity }) => activity === "running");
  if (count("unknown") > 0 || apps.length === 0) return "Pending";
  if (running) return "Running";
  if (apps.some((one) => returning.has(one.container.name) || comesBack(spec, one))) return "Running";
  return count("failed") === 0 ? "Succeeded" : "Failed";
}

type Activity = "running" | "waiting" | "succeeded" | "failed" | "unknown";

interface Member {
  readonly container: Container;
  readonly status: ContainerStatus | undefined;
  readonly activity: Activity;
}

function activityOf(container: Container, statuses: readonly ContainerStatus[]): Member {
  const status = statuses.find(({ name }) => name === container.name);
  return { container, status, activity: activity(status) };
}

function activity(status: ContainerStatus | undefined): Activity {
  const { state, lastState } = status ?? {};
  if (state?.running !== undefined) return "running";
  if (state?.terminated !== undefined) return state.terminated.exitCode === 0 ? "succeeded" : "failed";
  if (state?.waiting === undefined) return "unknown";
  // A container that waits for its restart has been there already.
  return lastState?.terminated === undefined ? "waiting" : "failed";
}

function comesBack(spec: PodSpec, { container, status }: Member): boolean {
  // One that waits after an end waits for its restart.
  if (status?.state?.waiting !== undefined) return true;
  return restartsAfter(spec, container, status?.state?.terminated?.exitCode ?? 137);
}
