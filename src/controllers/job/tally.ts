import type { StoredPod } from "../../kube/types.ts";
import { isActive, isDeleted } from "../pods.ts";
import { judgeFailure } from "./failure-policy.ts";
import { parseIndexes } from "./indexes.ts";
import { indexOf, isIndexed, type StoredJob } from "./job.ts";

/** Where a Job stands: what its pods have come to, those that are gone included. */
export interface Tally {
  readonly active: readonly StoredPod[];
  /** On their way to their end. */
  readonly terminating: readonly StoredPod[];
  /** Ended in failure and still there; all but ignored ones. */
  readonly failedPods: readonly StoredPod[];
  readonly succeededPods: readonly StoredPod[];
  readonly succeeded: number;
  readonly failed: number;
  readonly completedIndexes: ReadonlySet<number>;
  /** Indexes that are given up. */
  readonly failedIndexes: ReadonlySet<number>;
  /** Why the failure policy fails the whole Job. */
  readonly fatal: string | undefined;
  /** Uids of pods that are still there and that {@link tally} must not count again, or not at all. */
  readonly counted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
}

/**
 * Counts. A pod is counted once, when it is first seen ended, and stays counted when it is deleted: number and uid are
 * written together, as `uncountedTerminatedPods`, where a pod's uid stays as long as the pod does. (A cluster's
 * controller holds pods back by a finalizer until it has counted them; here nothing comes between a change and its count.)
 */
export function tally(job: StoredJob, pods: readonly StoredPod[]): Tally {
  const { spec, status } = job;
  const before = status?.uncountedTerminatedPods;
  const limit = spec.completions ?? 0;
  const completedIndexes = parseIndexes(status?.completedIndexes, limit);
  const failedIndexes = parseIndexes(status?.failedIndexes, limit);
  const isKnown = ({ metadata }: StoredPod) => before?.failed?.includes(metadata.uid) === true;
  const succeededPods = pods.filter((pod) => pod.status?.phase === "Succeeded");
  const verdicts = pods
    // Pods end with a failure also because the Job ends them, suspended or having too many; none of it is the Job's.
    .filter(
      (pod) => pod.status?.phase === "Failed" && !(isDeleted(pod) && (spec.suspend === true || isKnown(pod))),
    )
    .map((pod) => ({ pod, verdict: judgeFailure(job, pod) }));
  const failedPods = verdicts.filter(({ verdict }) => verdict.action !== "Ignore").map(({ pod }) => pod);
  const count = (now: readonly StoredPod[], earlier: readonly string[] = []) =>
    now.filter(({ metadata }) => !earlier.includes(metadata.uid)).length;

  if (isIndexed(job)) {
    for (const pod of succeededPods) {
      const index = indexOf(job, pod);
      if (index !== undefined) completedIndexes.add(index);
    }
    for (const index of givenUp(job, verdicts)) if (!completedIndexes.has(index)) failedIndexes.add(index);
  }
  const fatal = verdicts.map(({ verdict }) => verdict).find((verdict) => verdict.action === "FailJob");
  return {
    active: pods.filter(isActive),
    terminating: pods.filter(
      (pod) => isDeleted(pod) && pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed",
    ),
    failedPods,
    succeededPods,
    succeeded: isIndexed(job)
      ? completedIndexes.size
      : (status?.succeeded ?? 0) + count(succeededPods, before?.succeeded),
    failed: (status?.failed ?? 0) + count(failedPods, before?.failed),
    completedIndexes,
    failedIndexes,
    fatal: fatal?.action === "FailJob" ? fatal.message : undefined,
    counted: {
      succeeded: succeededPods.map(({ metadata }) => metadata.uid),
      failed: pods
        .filter((pod) => failedPods.includes(pod) || isKnown(pod))
        .map(({ metadata }) => metadata.uid),
    },
  };
}

/** Indexes that have failed more often than `backoffLimitPerIndex` allows, or by a rule. */
function givenUp(
  job: StoredJob,
  verdicts: readonly { readonly pod: StoredPod; readonly verdict: { readonly action: string } }[],
): readonly number[] {
  const { backoffLimitPerIndex } = job.spec;
  if (backoffLimitPerIndex === undefined) return [];
  const failures = new Map<number, number>();
  for (const { pod, verdict } of verdicts) {
    const index = indexOf(job, pod);
    if (index === undefined || verdict.action === "Ignore") continue;
    const weight = verdict.action === "FailIndex" ? Number.POSITIVE_INFINITY : 1;
    failures.set(index, (failures.get(index) ?? 0) + weight);
  }
  return [...failures].filter(([, number]) => number > backoffLimitPerIndex).map(([index]) => index);
}
