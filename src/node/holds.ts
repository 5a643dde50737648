import { allContainers, findContainer } from "../kube/pod-containers.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import { latestInstance } from "./instances.ts";
import type { Hold, PodPlan } from "./plan-types.ts";
import type { PodState } from "./pod-state.ts";
import { restartsAfter } from "./restart-rules.ts";
import type { Waiting } from "./status/container-status.ts";

/** Notes a failed start: when to try again and what to show until then. */
export function hold(state: PodState, name: string, reason: string, message: string, failedAt: number): void {
  const backOff = reason === "ErrImagePull" ? state.pulls : state.setUps;
  backOff.next(name, failedAt);
  state.holds.set(name, { until: backOff.retryAt(name, failedAt), reason, message });
  state.waiting = new Map([...state.waiting, [name, { reason, message }]]);
}

/** The kubelet shows the error once, then that it waits: ErrImagePull, then ImagePullBackOff. */
export function backOffPull(state: PodState, name: string, message: string): void {
  const current = state.holds.get(name);
  if (current === undefined) return;
  const image = findContainer(state.pod.spec, name)?.image ?? "";
  state.holds.set(name, {
    ...current,
    reason: "ImagePullBackOff",
    message: `Back-off pulling image "${image}": ErrImagePull: ${message}`,
  });
}

/** All containers that may not start now: after a failed start, or in the back-off of a restart. */
export function currentHolds(
  state: PodState,
  records: readonly ContainerRecord[],
  now: number,
): ReadonlyMap<string, Hold> {
  const { pod } = state;
  const holds = new Map(state.holds);
  for (const container of allContainers(pod.spec)) {
    const { name } = container;
    if (holds.has(name)) continue;
    const record = latestInstance(records, name);
    if (record?.phase !== "Exited" || record.finishedAt === undefined) continue;
    if (!state.restarting.has(record.id) && !restartsAfter(pod.spec, container, record.exitCode ?? 137))
      continue;
    const until = state.restarts.retryAt(name, record.finishedAt);
    if (until <= now) continue;
    const seconds = Math.round(state.restarts.currentWait(name) / 1000);
    const message = `back-off ${seconds}s restarting failed container=${name} pod=${pod.metadata.name}_${pod.metadata.namespace}(${state.uid})`;
    holds.set(name, { until, reason: "CrashLoopBackOff", message });
  }
  return holds;
}

/** What to show for the containers that wait. */
export function waitingStates(state: PodState, plan: PodPlan): ReadonlyMap<string, Waiting> {
  const waiting = new Map<string, Waiting>();
  for (const [name, { reason, message }] of plan.holding) {
    waiting.set(name, message === "" ? { reason } : { reason, message });
  }
  for (const name of state.starting.keys()) {
    const hold = state.holds.get(name);
    if (hold !== undefined) waiting.set(name, { reason: hold.reason, message: hold.message });
  }
  return waiting;
}
