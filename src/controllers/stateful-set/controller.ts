import { ownersOf } from "../ownership.ts";
import { podsNear } from "../pods.ts";
import { revisionsOf, selectorOf } from "../revisions.ts";
import type { Controller } from "../types.ts";
import { planStatefulSet } from "./plan.ts";
import type { StoredStatefulSet } from "./stateful-set.ts";

const resource = "statefulsets.apps";

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ */
export const statefulSetController: Controller = {
  name: "statefulset-controller",
  resource,
  follows: {
    pods: ownersOf("StatefulSet", resource, selectorOf),
    "controllerrevisions.apps": ownersOf("StatefulSet", resource, () => undefined),
  },
  plan: (object, objects, now) => {
    const set = object as StoredStatefulSet;
    const { namespace = "" } = set.metadata;
    return planStatefulSet({
      set,
      pods: podsNear(set, set.spec.selector, objects),
      revisions: revisionsOf(set, objects),
      claims: objects.list("persistentvolumeclaims", { namespace }).items,
      now,
    });
  },
};
