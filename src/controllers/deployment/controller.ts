import { matchesSelector } from "../../kube/match-selector.ts";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import { controllerOf, ownersOf } from "../ownership.ts";
import type { StoredReplicaSet } from "../replica-set/plan.ts";
import type { Controller, ObjectReader } from "../types.ts";
import type { StoredDeployment } from "./deployment.ts";
import { planDeployment } from "./plan.ts";

const resource = "deployments.apps";
const replicaSets = "replicasets.apps";

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ */
export const deploymentController: Controller = {
  name: "deployment-controller",
  resource,
  follows: {
    [replicaSets]: ownersOf(
      "Deployment",
      resource,
      (deployment) => (deployment as StoredDeployment).spec.selector,
    ),
    pods: recreatedBy,
  },
  plan: (object, objects, now, failure) => {
    const deployment = object as StoredDeployment;
    const { namespace = "", uid } = deployment.metadata;
    const isNear = (set: KubernetesObject) => {
      const controller = controllerOf(set);
      if (controller !== undefined) return controller.uid === uid;
      return matchesSelector(deployment.spec.selector, set.metadata.labels);
    };
    const sets = objects.list(replicaSets, { namespace, matches: isNear })
      .items as readonly StoredReplicaSet[];
    const uids = new Set(sets.map(({ metadata }) => metadata.uid));
    const isOfSet = (pod: KubernetesObject) => uids.has(controllerOf(pod)?.uid ?? "");
    const isRecreate = deployment.spec.strategy?.type === "Recreate";
    const pods = isRecreate ? objects.list("pods", { namespace, matches: isOfSet }).items : [];
    return planDeployment({
      deployment,
      sets,
      pods: pods as unknown as readonly StoredPod[],
      isTaken: (name) => objects.get({ resource: replicaSets, namespace, name }) !== undefined,
      now,
      failure,
    });
  },
};

/** The end of an old pod matters only where none may run beside a new one. */
function recreatedBy(pod: KubernetesObject, objects: ObjectReader): readonly string[] {
  const { namespace = "" } = pod.metadata;
  const reference = controllerOf(pod);
  if (reference?.kind !== "ReplicaSet") return [];
  const set = objects.get({ resource: replicaSets, namespace, name: reference.name });
  const owner = set === undefined ? undefined : controllerOf(set);
  if (owner?.kind !== "Deployment") return [];
  const deployment = objects.get({ resource, namespace, name: owner.name }) as StoredDeployment | undefined;
  return deployment?.spec.strategy?.type === "Recreate" ? [owner.name] : [];
}
