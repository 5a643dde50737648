import type { StoredPod } from "../../kube/types.ts";
import { parseIndexes } from "./indexes.ts";
import { isIndexed, type StoredJob } from "./job.ts";
import type { Tally } from "./tally.ts";

/** How a Job ends. */
export interface End {
  readonly type: "Complete" | "Failed";
  readonly reason: string;
  readonly message: string;
}

/**
 * How the Job ends as things stand; undefined while it goes on. What it has said before (FailureTarget,
 * SuccessCriteriaMet) stays.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
 */
export function endOfJob(job: StoredJob, state: Tally, now: number): End | undefined {
  for (const { type, status, reason = "", message = "" } of job.status?.conditions ?? []) {
    if (status !== "True") continue;
    if (type === "FailureTarget") return { type: "Failed", reason, message };
    if (type === "SuccessCriteriaMet") return { type: "Complete", reason, message };
  }
  return failure(job, state, now) ?? success(job, state);
}

/** When `activeDeadlineSeconds` will have passed. */
export function deadlineOf({ spec, status }: StoredJob, now: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend === true) return undefined;
  const start = status?.startTime === undefined ? now : Date.parse(status.startTime);
  return start + spec.activeDeadlineSeconds * 1_000;
}

function failure(job: StoredJob, state: Tally, now: number): End | undefined {
  const { spec } = job;
  const failed = (reason: string, message: string): End => ({ type: "Failed", reason, message });
  if (state.fatal !== undefined) return failed("PodFailurePolicy", state.fatal);
  if (isPastBackoffLimit(job, state)) {
    return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  if ((deadlineOf(job, now) ?? Number.POSITIVE_INFINITY) <= now) {
    return failed("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  if (spec.backoffLimitPerIndex === undefined || !isIndexed(job)) return undefined;
  if (state.failedIndexes.size > (spec.maxFailedIndexes ?? Number.POSITIVE_INFINITY)) {
    return failed(
      "MaxFailedIndexesExceeded",
      "Job has exceeded the specified maximal number of failed indexes",
    );
  }
  const decided = state.failedIndexes.size + state.completedIndexes.size;
  return state.failedIndexes.size > 0 && decided >= (spec.completions ?? 0)
    ? failed("FailedIndexes", "Job has failed indexes")
    : undefined;
}

function isPastBackoffLimit({ spec }: StoredJob, { failed, active }: Tally): boolean {
  const limit = spec.backoffLimit ?? 6;
  if (failed > limit) return true;
  if (spec.template?.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = active.reduce((sum, pod) => sum + restartsOf(pod), 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function restartsOf({ spec, status }: StoredPod): number {
  const isSidecar = (name: string) =>
    spec.initContainers?.some((container) => container.name === name && container.restartPolicy === "Always");
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
    .filter(({ name }) => isSidecar(name) !== true)
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
}

function success(job: StoredJob, state: Tally): End | undefined {
  const { completions } = job.spec;
  const complete = (reason: string, message: string): End => ({ type: "Complete", reason, message });
  const rule = isIndexed(job) ? fulfilledRule(job, state) : -1;
  if (rule >= 0) return complete("SuccessPolicy", `Matched rules at index ${rule}`);
  const isDone =
    completions === undefined
      ? // A work queue is empty when one has succeeded and none runs any more.
        state.succeeded > 0 && state.active.length === 0
      : state.succeeded >= completions;
  return isDone ? complete("CompletionsReached", "Reached expected number of succeeded pods") : undefined;
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy */
function fulfilledRule({ spec }: StoredJob, { completedIndexes }: Tally): number {
  return (spec.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    const all = parseIndexes(succeededIndexes, spec.completions ?? 0);
    const counted = [...completedIndexes].filter((index) => succeededIndexes === undefined || all.has(index));
    return counted.length >= (succeededCount ?? all.size);
  });
}
