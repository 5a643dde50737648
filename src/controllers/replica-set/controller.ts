import type { StoredPod } from "../../kube/types.ts";
import { ownersOf } from "../ownership.ts";
import { podsNear } from "../pods.ts";
import type { Controller } from "../types.ts";
import { planReplicaSet, type StoredReplicaSet } from "./plan.ts";

const resource = "replicasets.apps";

/** https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ */
export const replicaSetController: Controller = {
  name: "replicaset-controller",
  resource,
  follows: { pods: ownersOf("ReplicaSet", resource, (set) => (set as StoredReplicaSet).spec.selector) },
  plan: (object, objects, now, failure) => {
    const set = object as StoredReplicaSet;
    const pods: readonly StoredPod[] = podsNear(set, set.spec.selector, objects);
    return planReplicaSet(set, pods, now, failure);
  },
};
