import type { IStatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";

/** A StatefulSet that the API has accepted. */
export type StoredStatefulSet = KubernetesObject &
  Required<Pick<IStatefulSet, "spec">> &
  Pick<IStatefulSet, "status">;

/** The number of its first pod. */
export function firstOrdinal({ spec }: StoredStatefulSet): number {
  return spec.ordinals?.start ?? 0;
}

/** The number in the name of one of the set's pods; undefined for a name that none of them has. */
export function ordinalOf(set: StoredStatefulSet, { metadata }: StoredPod): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const rest = metadata.name.startsWith(prefix) ? metadata.name.slice(prefix.length) : "";
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined;
}

/** The number below which a rolling update leaves pods as they are. */
export function partitionOf({ spec }: StoredStatefulSet): number {
  return spec.updateStrategy?.rollingUpdate?.partition ?? 0;
}

/** Whether pods come and go one after the other. */
export function isOrdered({ spec }: StoredStatefulSet): boolean {
  return spec.podManagementPolicy !== "Parallel";
}
