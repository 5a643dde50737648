import { isEndedPhase } from "../../kube/pod-phase.ts";
import type { ContainerStatus, StoredPod } from "../../kube/types.ts";
import { timeSince } from "./human-duration.ts";

/** A pod in the words of `kubectl get pods`. */
export interface PodState {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

/**
 * How kubectl's printer sums up a pod: the reason that matters most of all containers, how many are ready, how
 * often they restarted. Rules: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ and the printer of
 * https://pkg.go.dev/k8s.io/kubernetes/pkg/printers/internalversion.
 */
export function podState(pod: StoredPod, now: number): PodState {
  const { spec, status } = pod;
  const sidecars = new Set(
    (spec.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === "Always")
      .map(({ name }) => name),
  );
  const initStatuses = status?.initContainerStatuses ?? [];
  const statuses = status?.containerStatuses ?? [];
  const startedSidecars = initStatuses.filter(({ name, started }) => sidecars.has(name) && started === true);
  const initializing = initReason(pod, sidecars);
  // A restarted main container leaves the init containers' statuses behind; the condition then decides.
  const initialized = initializing === undefined || hasTrueCondition(pod, "Initialized");

  const readySidecars = startedSidecars.filter(({ ready }) => ready).length;
  const readyContainers = initialized ? statuses.filter(isRunningReady).length : 0;
  const counted = initialized
    ? [...initStatuses.filter(({ name }) => sidecars.has(name)), ...statuses]
    : initStatuses;
  return {
    ready: `${readySidecars + readyContainers}/${spec.containers.length + sidecars.size}`,
    status:
      terminatingReason(pod) ??
      (initialized ? containersReason(pod, initializing) : initializing) ??
      "Unknown",
    restarts: restarts(counted, now),
  };
}

function terminatingReason({ metadata, status }: StoredPod): string | undefined {
  if (metadata.deletionTimestamp === undefined) return undefined;
  if (status?.reason === "NodeLost") return "Unknown";
  return isEndedPhase(status?.phase) ? undefined : "Terminating";
}

/** What holds the pod in its initialization, or undefined once it is through. */
function initReason({ spec, status }: StoredPod, sidecars: ReadonlySet<string>): string | undefined {
  for (const [index, { name, state, started }] of (status?.initContainerStatuses ?? []).entries()) {
    if (state?.terminated?.exitCode === 0 || (sidecars.has(name) && started === true)) continue;
    if (state?.terminated !== undefined) return `Init:${terminatedReason(state.terminated)}`;
    const waiting = state?.waiting?.reason ?? "";
    if (waiting !== "" && waiting !== "PodInitializing") return `Init:${waiting}`;
    return `Init:${index}/${spec.initContainers?.length ?? 0}`;
  }
  return undefined;
}

/** The first container with something to say; a pod with one at work and one completed is still at work. */
function containersReason(pod: StoredPod, initializing: string | undefined): string | undefined {
  const { status } = pod;
  const gated = status?.conditions?.some(
    ({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated",
  );
  const base = initializing ?? (gated === true ? "SchedulingGated" : status?.reason || status?.phase);
  const statuses = status?.containerStatuses ?? [];
  const reason = statuses.map(containerReason).find((found) => found !== undefined) ?? base;
  if (reason !== "Completed" || !statuses.some(isRunningReady)) return reason;
  return hasTrueCondition(pod, "Ready") ? "Running" : "NotReady";
}

function containerReason({ state }: ContainerStatus): string | undefined {
  if (state?.waiting?.reason) return state.waiting.reason;
  return state?.terminated === undefined ? undefined : terminatedReason(state.terminated);
}

function terminatedReason(terminated: { reason?: string; signal?: number; exitCode: number }): string {
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

function isRunningReady({ ready, state }: ContainerStatus): boolean {
  return ready && state?.running !== undefined;
}

function hasTrueCondition({ status }: StoredPod, type: string): boolean {
  return (
    status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false
  );
}

function restarts(statuses: readonly ContainerStatus[], now: number): string {
  const count = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const ends = statuses.flatMap(({ lastState }) => lastState?.terminated?.finishedAt ?? []).sort();
  const last = ends.at(-1);
  return count === 0 || last === undefined ? String(count) : `${count} (${timeSince(last, now)} ago)`;
}
