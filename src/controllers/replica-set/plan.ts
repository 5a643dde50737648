import type { IReplicaSet } from "kubernetes-models/apps/v1/ReplicaSet";
import { matchesSelector } from "../../kube/match-selector.ts";
import { isPodReady } from "../../kube/pod-phase.ts";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import { type Condition, withCondition } from "../conditions.ts";
import { claim } from "../ownership.ts";
import { earliest, endOf, isActive, isAvailable, isDeleted, nextAvailable, podOf } from "../pods.ts";
import type { Action, Plan, PlanFailure } from "../types.ts";
import { inDeletionOrder } from "./deletion-order.ts";

/** A ReplicaSet that the API has accepted. */
export type StoredReplicaSet = KubernetesObject &
  Required<Pick<IReplicaSet, "spec">> &
  Pick<IReplicaSet, "status">;

/** At most so many pods are made or deleted by one plan. */
const burst = 500;
const firstBackOffMilliseconds = 1_000;
const longestBackOffMilliseconds = 300_000;

/**
 * Keeps as many pods of the template as the set wants
 * (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/). `pods` are its own and those of nobody that
 * it selects. A pod that failed counts no more, and another takes its place.
 */
export function planReplicaSet(
  set: StoredReplicaSet,
  pods: readonly StoredPod[],
  now: number,
  failure?: PlanFailure,
): Plan {
  const { owned: active, actions: claims } = claim(set, set.spec.selector, "pods", pods.filter(isActive));
  // Those that are deleted end as failed, too, whoever wanted it.
  const failed = pods.filter((pod) => pod.status?.phase === "Failed" && !isDeleted(pod));
  const wait = replaceableAt(failed);
  const isEnding = set.metadata.deletionTimestamp !== undefined;
  const scaling = isEnding ? [] : scale(set, active, wait, now);
  const wakeAt = earliest([
    nextAvailable(active, set.spec.minReadySeconds ?? 0, now),
    wait > now && active.length < (set.spec.replicas ?? 1) ? wait : undefined,
  ]);
  return {
    actions: [...claims, ...scaling, { do: "status", status: statusOf(set, active, now, failure) }],
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

/**
 * When a pod that failed may be replaced: the first at once, later ones after a delay that doubles. A node that refuses
 * every pod would be sent new ones without end.
 */
function replaceableAt(failed: readonly StoredPod[]): number {
  if (failed.length < 2) return 0;
  const delay = Math.min(firstBackOffMilliseconds * 2 ** (failed.length - 2), longestBackOffMilliseconds);
  return Math.max(...failed.map(endOf)) + delay;
}

function scale(
  set: StoredReplicaSet,
  active: readonly StoredPod[],
  wait: number,
  now: number,
): readonly Action[] {
  const missing = (set.spec.replicas ?? 1) - active.length;
  if (missing > 0 && wait > now) return [];
  if (missing >= 0) {
    return Array.from({ length: Math.min(missing, burst) }, () => ({
      do: "create",
      resource: "pods",
      object: podOf(set, set.spec.template, { generateName: `${set.metadata.name}-` }),
      event: { reason: "SuccessfulCreate", message: "Created pod: {name}" },
      failure: { reason: "FailedCreate", message: "Error creating: {error}" },
    }));
  }
  const surplus = inDeletionOrder(active, now).slice(0, Math.min(-missing, burst));
  return surplus.map(({ metadata }) => ({
    do: "delete",
    resource: "pods",
    name: metadata.name,
    uid: metadata.uid,
    event: { reason: "SuccessfulDelete", message: "Deleted pod: {name}" },
  }));
}

/** Counts what was there before the plan: its own changes are seen by the next one. */
function statusOf(
  set: StoredReplicaSet,
  active: readonly StoredPod[],
  now: number,
  failure: PlanFailure | undefined,
): object {
  const { template, minReadySeconds = 0 } = set.spec;
  const labels = { matchLabels: template?.metadata?.labels ?? {} };
  const count = (test: (pod: StoredPod) => boolean) => active.filter(test).length;
  const before: readonly Condition[] = set.status?.conditions ?? [];
  const conditions =
    failure === undefined
      ? before.filter(({ type }) => type !== "ReplicaFailure")
      : withCondition(before, { type: "ReplicaFailure", status: "True", ...failure }, now);
  return {
    replicas: active.length,
    fullyLabeledReplicas: count(({ metadata }) => matchesSelector(labels, metadata.labels)),
    readyReplicas: count(isPodReady),
    availableReplicas: count((pod) => isAvailable(pod, minReadySeconds, now)),
    observedGeneration: set.metadata.generation,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}
