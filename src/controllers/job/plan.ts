import { kubernetesTime } from "../../base/clock.ts";
import { isPodReady } from "../../kube/pod-phase.ts";
import type { StoredPod } from "../../kube/types.ts";
import { type Condition, holds, withCondition } from "../conditions.ts";
import { claim } from "../ownership.ts";
import { earliest } from "../pods.ts";
import { inDeletionOrder } from "../replica-set/deletion-order.ts";
import type { Action, Plan } from "../types.ts";
import { replaceableAt } from "./back-off.ts";
import { deadlineOf, type End, endOfJob } from "./end.ts";
import { formatIndexes } from "./indexes.ts";
import { indexOf, isFinished, isIndexed, type StoredJob } from "./job.ts";
import { createJobPod } from "./job-pod.ts";
import { type Tally, tally } from "./tally.ts";

/**
 * The next step of a Job (https://kubernetes.io/docs/concepts/workloads/controllers/job/). `pods` are its own and those of
 * nobody that it selects.
 */
export function planJob(job: StoredJob, pods: readonly StoredPod[], now: number): Plan {
  if (job.metadata.deletionTimestamp !== undefined) return { actions: [] };
  if (isFinished(job)) return planAfterEnd(job, now);
  const { owned, actions: claims } = claim(job, job.spec.selector, "pods", pods);
  const state = tally(job, owned);
  const end = endOfJob(job, state, now);
  const isSuspended = job.spec.suspend === true && end === undefined;
  const wait = replaceableAt(state);
  const scaling =
    end !== undefined || isSuspended
      ? endPods(state.active, state.active.length, now)
      : scale(job, state, wait, now);
  const isOver = end !== undefined && state.active.length === 0 && state.terminating.length === 0;
  const wakeAt = isOver
    ? undefined
    : earliest([deadlineOf(job, now), wait !== undefined && wait > now ? wait : undefined]);
  // Pods that are too many end as failed, too, which is not theirs.
  const dismissed =
    end === undefined ? scaling.flatMap((action) => (action.do === "delete" ? action.uid : [])) : [];
  const { events, status } = statusOf(job, state, { end, isOver, isSuspended, dismissed }, now);
  return {
    actions: [...claims, ...scaling, { do: "status", status }, ...events],
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

/** Makes missing pods and ends those that are too many. */
function scale(job: StoredJob, state: Tally, wait: number | undefined, now: number): readonly Action[] {
  const { parallelism = 1, completions, podReplacementPolicy } = job.spec;
  const { active, terminating } = state;
  const wantsMore = completions === undefined ? state.succeeded === 0 : true;
  const room = completions === undefined ? parallelism : Math.min(parallelism, completions - state.succeeded);
  // A work queue whose first pod has succeeded lets the others finish.
  const wanted = wantsMore ? Math.max(0, room) : Math.min(active.length, parallelism);
  if (active.length > wanted) return endPods(active, active.length - wanted, now);
  const ending = podReplacementPolicy === "Failed" ? terminating.length : 0;
  const missing = Math.max(0, wanted - active.length - ending);
  if (missing === 0 || (wait !== undefined && wait > now)) return [];
  if (!isIndexed(job)) return Array.from({ length: missing }, () => createJobPod(job, undefined));
  const taken = new Set([...active, ...(ending > 0 ? terminating : [])].map((pod) => indexOf(job, pod)));
  const free = Array.from({ length: completions ?? 0 }, (_, index) => index).filter(
    (index) => !taken.has(index) && !state.completedIndexes.has(index) && !state.failedIndexes.has(index),
  );
  return free.slice(0, missing).map((index) => createJobPod(job, index));
}

function endPods(active: readonly StoredPod[], count: number, now: number): readonly Action[] {
  return inDeletionOrder(active, now)
    .slice(0, count)
    .map(({ metadata: { name, uid } }) => ({
      do: "delete",
      resource: "pods",
      name,
      uid,
      event: { reason: "SuccessfulDelete", message: "Deleted pod: {name}" },
    }));
}

function statusOf(
  job: StoredJob,
  state: Tally,
  course: {
    readonly end: End | undefined;
    readonly isOver: boolean;
    readonly isSuspended: boolean;
    readonly dismissed: readonly string[];
  },
  now: number,
): { status: object; events: readonly Action[] } {
  const { end, isOver, isSuspended, dismissed } = course;
  const before = job.status ?? {};
  const time = kubernetesTime(now);
  const events: Action[] = [];
  let conditions: readonly Condition[] = before.conditions ?? [];
  const set = (type: string, status: string, reason: string, message: string) => {
    const probed = { type, status, reason, message, lastProbeTime: time };
    conditions = withCondition(conditions, probed, now);
  };
  let startTime = before.startTime;
  if (isSuspended) {
    if (!holds(conditions, "Suspended")) {
      set("Suspended", "True", "JobSuspended", "Job suspended");
      events.push({ do: "event", type: "Normal", reason: "Suspended", message: "Job suspended" });
    }
    startTime = undefined;
  } else {
    if (holds(conditions, "Suspended")) {
      set("Suspended", "False", "JobResumed", "Job resumed");
      events.push({ do: "event", type: "Normal", reason: "Resumed", message: "Job resumed" });
    }
    startTime ??= time;
  }
  if (end !== undefined) {
    const { type, reason, message } = end;
    set(type === "Failed" ? "FailureTarget" : "SuccessCriteriaMet", "True", reason, message);
    if (isOver) {
      set(type, "True", reason, message);
      events.push(
        type === "Failed"
          ? { do: "event", type: "Warning", reason, message }
          : { do: "event", type: "Normal", reason: "Completed", message: "Job completed" },
      );
    }
  }
  const { counted } = state;
  const failed = [...counted.failed, ...dismissed];
  const uncounted = {
    ...(counted.succeeded.length === 0 ? {} : { succeeded: counted.succeeded }),
    ...(failed.length === 0 ? {} : { failed }),
  };
  const status = {
    ...nonZero({
      active: state.active.length,
      succeeded: state.succeeded,
      failed: state.failed,
    }),
    ready: state.active.filter(isPodReady).length,
    terminating: state.terminating.length,
    ...(isIndexed(job) && state.completedIndexes.size > 0
      ? { completedIndexes: formatIndexes(state.completedIndexes) }
      : {}),
    ...(job.spec.backoffLimitPerIndex === undefined
      ? {}
      : { failedIndexes: formatIndexes(state.failedIndexes) }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(isOver && end?.type === "Complete" ? { completionTime: time } : {}),
    uncountedTerminatedPods: isOver ? {} : uncounted,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  return { status, events };
}

/** Counts that Kubernetes leaves out when they are zero. */
function nonZero(counts: Readonly<Record<string, number>>): object {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/ */
function planAfterEnd(job: StoredJob, now: number): Plan {
  const { ttlSecondsAfterFinished } = job.spec;
  if (ttlSecondsAfterFinished === undefined) return { actions: [] };
  const ended = job.status?.conditions?.find(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );
  const expiry = Date.parse(ended?.lastTransitionTime ?? "") + ttlSecondsAfterFinished * 1_000;
  if (expiry > now) return { actions: [], wakeAt: expiry };
  const { name, uid } = job.metadata;
  const options = { propagationPolicy: "Foreground" } as const;
  return { actions: [{ do: "delete", resource: "jobs.batch", name, uid, options }] };
}
