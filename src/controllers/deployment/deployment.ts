import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { KubernetesObject } from "../../kube/types.ts";
import { intOrPercent } from "../int-or-percent.ts";
import type { StoredReplicaSet } from "../replica-set/plan.ts";

/** A Deployment that the API has accepted. */
export type StoredDeployment = KubernetesObject &
  Required<Pick<IDeployment, "spec">> &
  Pick<IDeployment, "status">;

/** A Deployment and its ReplicaSets, told apart. */
export interface Rollout {
  readonly deployment: StoredDeployment;
  /** The one of the present template; undefined before it is made. */
  readonly newSet: StoredReplicaSet | undefined;
  /** All others, oldest first. */
  readonly oldSets: readonly StoredReplicaSet[];
  readonly now: number;
}

/** Annotations that the controller writes, by the names that kubectl reads. */
export const annotations = {
  revision: "deployment.kubernetes.io/revision",
  revisionHistory: "deployment.kubernetes.io/revision-history",
  desiredReplicas: "deployment.kubernetes.io/desired-replicas",
  maxReplicas: "deployment.kubernetes.io/max-replicas",
} as const;

/** How many pods the Deployment wants. */
export function wanted({ spec }: StoredDeployment): number {
  return spec.replicas ?? 1;
}

/** How many pods the set has been told to have. */
export function sizeOf({ spec }: StoredReplicaSet): number {
  return spec.replicas ?? 1;
}

/** Its pods that are available and stay: those of a set that is being scaled down count no more. */
export function availableOf(set: StoredReplicaSet): number {
  return Math.min(set.status?.availableReplicas ?? 0, sizeOf(set));
}

/** The sum over the sets. */
export function total<T>(sets: readonly T[], value: (set: T) => number): number {
  return sets.reduce((sum, set) => sum + value(set), 0);
}

/** How many pods more than wanted there may be, and how many fewer available ones; not both zero. */
export function limits(deployment: StoredDeployment): { maxSurge: number; maxUnavailable: number } {
  const { strategy } = deployment.spec;
  const replicas = wanted(deployment);
  if (strategy?.type === "Recreate") return { maxSurge: 0, maxUnavailable: replicas };
  const maxSurge = intOrPercent(strategy?.rollingUpdate?.maxSurge, replicas, "up");
  const maxUnavailable = intOrPercent(strategy?.rollingUpdate?.maxUnavailable, replicas, "down");
  const atLeastOne = maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable;
  return { maxSurge, maxUnavailable: Math.min(atLeastOne, replicas) };
}

/** The number that `kubectl rollout history` shows; 0 for a set that has none yet. */
export function revisionOf({ metadata }: KubernetesObject): number {
  const number = Number(metadata.annotations?.[annotations.revision] ?? 0);
  return Number.isSafeInteger(number) ? number : 0;
}

/** All sets of the rollout. */
export function allSets({ newSet, oldSets }: Rollout): readonly StoredReplicaSet[] {
  return newSet === undefined ? oldSets : [...oldSets, newSet];
}
