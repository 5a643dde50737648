import type { StoredReplicaSet } from "../replica-set/plan.ts";
import type { Action } from "../types.ts";
import { allSets, availableOf, limits, type Rollout, sizeOf, total, wanted } from "./deployment.ts";
import { scaleSet } from "./replica-sets.ts";

/** How large the set of the present template may be now: what `maxSurge` leaves room for beside the others. */
export function newSize(rollout: Rollout): number {
  const { deployment, newSet } = rollout;
  const replicas = wanted(deployment);
  const present = newSet === undefined ? 0 : sizeOf(newSet);
  if (deployment.spec.strategy?.type === "Recreate" || present > replicas) return replicas;
  const room = replicas + limits(deployment).maxSurge - total(allSets(rollout), sizeOf);
  return present + Math.max(0, Math.min(room, replicas - present));
}

/**
 * The next step of replacing pods a few at a time
 * (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment): the new set grows
 * first; when it may not, the old ones shrink, pods that are not available first, as far as `maxUnavailable` lets them.
 */
export function rollingUpdate(rollout: Rollout & { readonly newSet: StoredReplicaSet }): readonly Action[] {
  const { deployment, newSet } = rollout;
  const size = newSize(rollout);
  if (size !== sizeOf(newSet)) return scaleSet(deployment, newSet, size);
  const sizes = shrunk(rollout);
  return rollout.oldSets.flatMap((set) => {
    const next = sizes.get(set) ?? sizeOf(set);
    return next === sizeOf(set) ? [] : scaleSet(deployment, set, next);
  });
}

function shrunk(rollout: Rollout & { readonly newSet: StoredReplicaSet }): Map<StoredReplicaSet, number> {
  const { deployment, newSet, oldSets } = rollout;
  const minAvailable = wanted(deployment) - limits(deployment).maxUnavailable;
  const sizes = new Map(oldSets.map((set) => [set, sizeOf(set)]));
  const comingUp = sizeOf(newSet) - availableOf(newSet);
  let allowed = total(allSets(rollout), sizeOf) - minAvailable - comingUp;
  // Pods that do not work are missed by nobody.
  for (const set of oldSets) {
    const step = Math.max(0, Math.min(sizeOf(set) - availableOf(set), allowed));
    sizes.set(set, sizeOf(set) - step);
    allowed -= step;
  }
  let spare = Math.min(total(allSets(rollout), availableOf) - minAvailable, allowed);
  for (const set of oldSets) {
    const size = sizes.get(set) ?? 0;
    const step = Math.max(0, Math.min(size, spare));
    sizes.set(set, size - step);
    spare -= step;
  }
  return sizes;
}
