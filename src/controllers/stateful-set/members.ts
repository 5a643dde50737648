import { isPodReady } from "../../kube/pod-phase.ts";
import type { StoredPod } from "../../kube/types.ts";
import { endOf, isAvailable, isDeleted, isEnded } from "../pods.ts";
import { revisionLabel } from "../revisions.ts";
import type { Action } from "../types.ts";
import { createMember } from "./pod.ts";
import { firstOrdinal, isOrdered, ordinalOf, partitionOf, type StoredStatefulSet } from "./stateful-set.ts";

/** What decides about the pods of a StatefulSet. */
export interface Members {
  readonly set: StoredStatefulSet;
  readonly pods: readonly StoredPod[];
  /** Of pods below the partition while an update goes on. */
  readonly current: Revision;
  readonly update: Revision;
  readonly hasClaim: (name: string) => boolean;
  readonly now: number;
}

type Revision = Parameters<typeof createMember>[2];

/** A pod that has failed stays so long before another takes its place, so that a node that refuses it has peace. */
const failedForMilliseconds = 10_000;

/**
 * The next steps: pods that are missing, in their order, then those that are too many, then those of another revision, both
 * from the highest number down; one at a time unless the set is Parallel
 * (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees).
 */
export function nextSteps(members: Members): { actions: readonly Action[]; wakeAt?: number } {
  const { set, now } = members;
  const first = firstOrdinal(set);
  const wanted = Array.from({ length: set.spec.replicas ?? 1 }, (_, index) => first + index);
  const actions: Action[] = [];
  for (const ordinal of wanted) {
    const pod = podWith(members, ordinal);
    if (pod !== undefined && isEnded(pod) && !isDeleted(pod)) {
      const at = endOf(pod) + failedForMilliseconds;
      if (at > now) return { actions, wakeAt: at };
      return { actions: [...actions, ...recreate(set, pod)] };
    }
    if (pod === undefined) {
      const revision = isKeptBack(members, ordinal) ? members.current : members.update;
      actions.push(...createMember(set, ordinal, revision, members.hasClaim));
    }
    if (isOrdered(set) && (pod === undefined || !isHealthy(members, pod))) return { actions };
  }
  const surplus = members.pods
    .filter((pod) => !wanted.includes(ordinalOf(set, pod) ?? -1))
    .toSorted((a, b) => (ordinalOf(set, b) ?? 0) - (ordinalOf(set, a) ?? 0));
  for (const pod of surplus) {
    if (!isDeleted(pod)) actions.push(remove(set, pod));
    if (isOrdered(set)) return { actions };
  }
  if (set.spec.updateStrategy?.type === "OnDelete") return { actions };
  return { actions: [...actions, ...replaceOutdated(members, wanted)] };
}

/** Deletes the highest pod of another revision, once all above it are healthy again. */
function replaceOutdated(members: Members, wanted: readonly number[]): readonly Action[] {
  const { set, update } = members;
  const from = firstOrdinal(set) + partitionOf(set);
  for (const ordinal of wanted.toReversed()) {
    const pod = podWith(members, ordinal);
    if (ordinal < from || pod === undefined) return [];
    if (pod.metadata.labels?.[revisionLabel] !== update.name && !isDeleted(pod)) return [remove(set, pod)];
    if (!isHealthy(members, pod)) return [];
  }
  return [];
}

function isKeptBack({ set, current, update }: Members, ordinal: number): boolean {
  if (current.name === update.name || set.spec.updateStrategy?.type === "OnDelete") return false;
  return ordinal < firstOrdinal(set) + partitionOf(set);
}

function podWith({ set, pods }: Members, ordinal: number): StoredPod | undefined {
  return pods.find((pod) => ordinalOf(set, pod) === ordinal);
}

function isHealthy({ set, now }: Members, pod: StoredPod): boolean {
  return !isDeleted(pod) && isPodReady(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, now);
}

function recreate(set: StoredStatefulSet, pod: StoredPod): readonly Action[] {
  const { namespace, name } = pod.metadata;
  const message = `StatefulSet ${namespace}/${set.metadata.name} is recreating ${pod.status?.phase === "Failed" ? "failed" : "terminated"} Pod ${name}`;
  return [{ do: "event", type: "Warning", reason: "RecreatingFailedPod", message }, remove(set, pod)];
}

function remove(set: StoredStatefulSet, { metadata: { name, uid } }: StoredPod): Action {
  const message = `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`;
  return { do: "delete", resource: "pods", name, uid, event: { reason: "SuccessfulDelete", message } };
}
