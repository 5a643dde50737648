import type { KubernetesObject, LabelSelector } from "../../kube/types.ts";
import { ownersOf } from "../ownership.ts";
import { podsNear } from "../pods.ts";
import type { Controller } from "../types.ts";
import { planReplicaSet, type StoredReplicaSet } from "./plan.ts";

const resource = "replicationcontrollers";

/** The ReplicaSet's predecessor: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/. */
export const replicationController: Controller = {
  name: "replication-controller",
  resource,
  follows: { pods: ownersOf("ReplicationController", resource, selectorOf) },
  plan: (object, objects, now, failure) => {
    const selector = selectorOf(object);
    const set = { ...object, spec: { ...(object.spec as object), selector } } as unknown as StoredReplicaSet;
    return planReplicaSet(set, podsNear(object, selector, objects), now, failure);
  },
};

/** Its selector has labels only. */
function selectorOf({ spec }: KubernetesObject): LabelSelector | undefined {
  const { selector } = spec as { selector?: Record<string, string> };
  return selector === undefined ? undefined : { matchLabels: selector };
}
