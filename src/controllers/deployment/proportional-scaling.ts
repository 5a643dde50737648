import type { StoredReplicaSet } from "../replica-set/plan.ts";
import type { Action } from "../types.ts";
import {
  allSets,
  annotations,
  availableOf,
  limits,
  type Rollout,
  sizeOf,
  total,
  wanted,
} from "./deployment.ts";
import { scaleSet } from "./replica-sets.ts";

/** Whether a set that has pods was last scaled for another number of replicas than is wanted now. */
export function isScaled(rollout: Rollout): boolean {
  return allSets(rollout).some((set) => {
    const noted = set.metadata.annotations?.[annotations.desiredReplicas];
    return sizeOf(set) > 0 && noted !== undefined && Number(noted) !== wanted(rollout.deployment);
  });
}

/**
 * Steps to another number of replicas without going on with a rollout
 * (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling): a single set takes
 * all; in the middle of a rollout each takes its part.
 */
export function scaleProportionally(rollout: Rollout): readonly Action[] {
  const { deployment, newSet, oldSets } = rollout;
  const replicas = wanted(deployment);
  const active = allSets(rollout).filter((set) => sizeOf(set) > 0);
  const only = active.length === 0 ? (newSet ?? oldSets.at(-1)) : active.length === 1 ? active[0] : undefined;
  if (only !== undefined) return scaleSet(deployment, only, replicas);
  if (active.length === 0) return [];
  if (newSet !== undefined && isSaturated(newSet, replicas)) {
    return oldSets.filter((set) => sizeOf(set) > 0).flatMap((set) => scaleSet(deployment, set, 0));
  }
  return deployment.spec.strategy?.type === "Recreate" ? [] : distribute(rollout, active);
}

function isSaturated(set: StoredReplicaSet, replicas: number): boolean {
  const noted = Number(set.metadata.annotations?.[annotations.desiredReplicas]);
  return sizeOf(set) === replicas && noted === replicas && availableOf(set) === replicas;
}

function distribute(rollout: Rollout, active: readonly StoredReplicaSet[]): readonly Action[] {
  const { deployment } = rollout;
  const replicas = wanted(deployment);
  const allowed = replicas > 0 ? replicas + limits(deployment).maxSurge : 0;
  const missing = allowed - total(active, sizeOf);
  const age = (set: StoredReplicaSet) => Date.parse(set.metadata.creationTimestamp);
  // The largest first: newer ones grow, older ones shrink before the others of their size.
  const sorted = active.toSorted(
    (a, b) => sizeOf(b) - sizeOf(a) || (missing > 0 ? age(b) - age(a) : age(a) - age(b)),
  );
  let left = missing;
  const sizes = sorted.map((set) => {
    const part = partOf(deployment, set, allowed);
    const step = missing > 0 ? Math.max(0, Math.min(part, left)) : Math.min(0, Math.max(part, left));
    left -= step;
    return sizeOf(set) + step;
  });
  // What rounding leaves over is the largest one's.
  return sorted.flatMap((set, index) => {
    const size = (sizes[index] ?? 0) + (index === 0 ? left : 0);
    return scaleSet(deployment, set, Math.max(0, size));
  });
}

function partOf(deployment: Rollout["deployment"], set: StoredReplicaSet, allowed: number): number {
  if (wanted(deployment) === 0) return -sizeOf(set);
  const before = Number(set.metadata.annotations?.[annotations.maxReplicas]) || deployment.status?.replicas;
  return before === undefined || before === 0
    ? 0
    : Math.round((sizeOf(set) * allowed) / before) - sizeOf(set);
}
