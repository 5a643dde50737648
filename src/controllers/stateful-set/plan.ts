import { isPodReady } from "../../kube/pod-phase.ts";
import type { KubernetesObject, PodTemplateSpec, StoredPod } from "../../kube/types.ts";
import { claim } from "../ownership.ts";
import { earliest, isAvailable, nextAvailable } from "../pods.ts";
import { keepRevisions, revisionLabel, revisionName, type StoredRevision, templateOf } from "../revisions.ts";
import type { Action, Plan } from "../types.ts";
import { nextSteps } from "./members.ts";
import { claimName } from "./pod.ts";
import { firstOrdinal, ordinalOf, partitionOf, type StoredStatefulSet } from "./stateful-set.ts";

/** What a StatefulSet's plan is made from. */
export interface StatefulSetInput {
  readonly set: StoredStatefulSet;
  /** Its own and those of nobody that it selects. */
  readonly pods: readonly StoredPod[];
  readonly revisions: readonly StoredRevision[];
  /** PersistentVolumeClaims of its namespace. */
  readonly claims: readonly KubernetesObject[];
  readonly now: number;
}

/** The next step of a StatefulSet (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/). */
export function planStatefulSet({ set, pods, revisions, claims, now }: StatefulSetInput): Plan {
  const named = pods.filter((pod) => ordinalOf(set, pod) !== undefined);
  const { owned, actions: claimed } = claim(set, set.spec.selector, "pods", named);
  const updateRevision = revisionName(set as never);
  const known = revisions.some(({ metadata }) => metadata.name === set.status?.currentRevision);
  const currentRevision = known ? (set.status?.currentRevision ?? updateRevision) : updateRevision;
  const template = set.spec.template as PodTemplateSpec;
  const status = statusOf(set, owned, { currentRevision, updateRevision }, now);
  const writeStatus: Action = { do: "status", status };
  if (set.metadata.deletionTimestamp !== undefined) return { actions: [...claimed, writeStatus] };

  const isUsed = ({ metadata }: StoredRevision) =>
    metadata.name === currentRevision ||
    owned.some((pod) => pod.metadata.labels?.[revisionLabel] === metadata.name);
  const { actions, wakeAt: retryAt } = nextSteps({
    set,
    pods: owned,
    current: { name: currentRevision, template: templateOf(revisions, currentRevision) ?? template },
    update: { name: updateRevision, template },
    hasClaim: (name) => claims.some(({ metadata }) => metadata.name === name),
    now,
  });
  const wakeAt = earliest([retryAt, nextAvailable(owned, set.spec.minReadySeconds ?? 0, now)]);
  return {
    actions: [
      ...claimed,
      ...keepRevisions(set as never, revisions, isUsed),
      ...actions,
      ...unclaimed(set, owned, claims),
      writeStatus,
    ],
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

/** Deletes the claims of pods that scaling down has ended, where the set says so. */
function unclaimed(
  set: StoredStatefulSet,
  pods: readonly StoredPod[],
  claims: readonly KubernetesObject[],
): readonly Action[] {
  if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== "Delete") return [];
  const first = firstOrdinal(set);
  const end = first + (set.spec.replicas ?? 1);
  const isKept = (ordinal: number) =>
    (ordinal >= first && ordinal < end) || pods.some((pod) => ordinalOf(set, pod) === ordinal);
  const templates = (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name ?? "");
  return claims
    .filter(({ metadata }) =>
      templates.some((template) => {
        const ordinal = Number(/-(0|[1-9]\d*)$/.exec(metadata.name)?.[1] ?? Number.NaN);
        return metadata.name === claimName(set, template, ordinal) && !isKept(ordinal);
      }),
    )
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata: { name, uid } }) => ({ do: "delete", resource: "persistentvolumeclaims", name, uid }));
}

function statusOf(
  set: StoredStatefulSet,
  pods: readonly StoredPod[],
  revisions: { readonly currentRevision: string; readonly updateRevision: string },
  now: number,
): object {
  const replicas = set.spec.replicas ?? 1;
  const count = (test: (pod: StoredPod) => boolean) => pods.filter(test).length;
  const isOf = (revision: string) => (pod: StoredPod) =>
    pod.metadata.deletionTimestamp === undefined && pod.metadata.labels?.[revisionLabel] === revision;
  const ready = count(isPodReady);
  const updated = count(isOf(revisions.updateRevision));
  const isDone =
    partitionOf(set) === 0 && updated === replicas && ready === replicas && pods.length === replicas;
  const currentRevision = isDone ? revisions.updateRevision : revisions.currentRevision;
  return {
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    availableReplicas: count((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)),
    ...nonZero({ currentReplicas: count(isOf(currentRevision)), updatedReplicas: updated }),
    currentRevision,
    updateRevision: revisions.updateRevision,
    collisionCount: 0,
  };
}

/** Counts that Kubernetes leaves out when they are zero. */
function nonZero(counts: Readonly<Record<string, number>>): object {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
