import { isPodReady } from "../../kube/pod-phase.ts";
import type { StoredPod } from "../../kube/types.ts";
import { readySince } from "../pods.ts";

/**
 * Sorts the pods of a ReplicaSet that is scaled down, those first that go first
 * (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-down): pending before running, not
 * ready before ready, the lower `pod-deletion-cost`, ready for a shorter time, more restarts, younger. All of this machine's
 * pods are on one node, so that how many are where makes no difference.
 */
export function inDeletionOrder(pods: readonly StoredPod[], now: number): readonly StoredPod[] {
  return pods.toSorted(
    (a, b) =>
      phaseRank(a) - phaseRank(b) ||
      Number(isPodReady(a)) - Number(isPodReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      magnitude(now - (readySince(a) ?? now)) - magnitude(now - (readySince(b) ?? now)) ||
      restarts(b) - restarts(a) ||
      magnitude(age(a, now)) - magnitude(age(b, now)) ||
      a.metadata.uid.localeCompare(b.metadata.uid),
  );
}

function phaseRank({ status }: StoredPod): number {
  if (status?.phase === "Running") return 2;
  return status?.phase === "Unknown" ? 1 : 0;
}

function deletionCost({ metadata }: StoredPod): number {
  const text = metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? "0";
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

/** Times of one order of magnitude count as the same, so that not always the youngest goes. */
function magnitude(milliseconds: number): number {
  return milliseconds <= 0 ? 0 : Math.floor(Math.log2(milliseconds * 1_000_000));
}

function restarts({ status }: StoredPod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}

function age({ metadata }: StoredPod, now: number): number {
  return now - Date.parse(metadata.creationTimestamp);
}
