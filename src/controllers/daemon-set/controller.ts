import type { KubernetesNode } from "../../kube/types.ts";
import { ownersOf } from "../ownership.ts";
import { podsNear } from "../pods.ts";
import { revisionsOf, selectorOf } from "../revisions.ts";
import type { Controller, ObjectReader } from "../types.ts";
import { planDaemonSet, type StoredDaemonSet } from "./plan.ts";

const resource = "daemonsets.apps";

/** https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ */
export const daemonSetController: Controller = {
  name: "daemonset-controller",
  resource,
  follows: {
    pods: ownersOf("DaemonSet", resource, selectorOf),
    "controllerrevisions.apps": ownersOf("DaemonSet", resource, () => undefined),
  },
  plan: (object, objects, now) => {
    const set = object as StoredDaemonSet;
    const node = nodeOf(objects);
    if (node === undefined) return { actions: [] };
    const pods = podsNear(set, set.spec.selector, objects);
    return planDaemonSet({ set, pods, revisions: revisionsOf(set, objects), node, now });
  },
};

function nodeOf(objects: ObjectReader): KubernetesNode | undefined {
  return objects.list("nodes").items[0] as KubernetesNode | undefined;
}
