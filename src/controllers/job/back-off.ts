import { endOf } from "../pods.ts";
import type { Tally } from "./tally.ts";

/** As kube-controller-manager's: DefaultJobPodFailureBackOff and MaxJobPodFailureBackOff. */
const firstMilliseconds = 10_000;
const longestMilliseconds = 600_000;

/**
 * When a pod that failed may be replaced
 * (https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy): ten seconds after its end,
 * doubled for every failure since the last success, up to ten minutes. Undefined: at once.
 */
export function replaceableAt({ failedPods, succeededPods }: Tally): number | undefined {
  const lastSuccess = Math.max(0, ...succeededPods.map(endOf));
  const failures = failedPods.map(endOf).filter((end) => end >= lastSuccess);
  if (failures.length === 0) return undefined;
  const delay = Math.min(firstMilliseconds * 2 ** (failures.length - 1), longestMilliseconds);
  return Math.max(...failures) + delay;
}
