import type { StoredPod } from "../../kube/types.ts";
import { claim, controllerOf } from "../ownership.ts";
import type { StoredReplicaSet } from "../replica-set/plan.ts";
import type { Action, Plan, PlanFailure } from "../types.ts";
import { type Rollout, revisionOf, type StoredDeployment, sizeOf, wanted } from "./deployment.ts";
import { isScaled, scaleProportionally } from "./proportional-scaling.ts";
import { collisionsOf, createSet, keepInStep, scaleSet, tellApart } from "./replica-sets.ts";
import { newSize, rollingUpdate } from "./rolling-update.ts";
import { deploymentStatus, isComplete, type RolloutNews } from "./status.ts";

/** What a Deployment's plan is made from. */
export interface DeploymentInput {
  readonly deployment: StoredDeployment;
  /** Its own sets and those of nobody that it selects. */
  readonly sets: readonly StoredReplicaSet[];
  /** Pods that its sets control, ended or not; only a Recreate asks for them. */
  readonly pods: readonly StoredPod[];
  /** Whether a set of that name is there that is not the Deployment's. */
  readonly isTaken: (name: string) => boolean;
  readonly now: number;
  readonly failure?: PlanFailure | undefined;
}

/** The next step of a Deployment (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/). */
export function planDeployment({ deployment, sets, pods, isTaken, now, failure }: DeploymentInput): Plan {
  const claimed = claim(deployment, deployment.spec.selector, "replicasets.apps", sets);
  const rollout: Rollout = { deployment, ...tellApart(deployment, claimed.owned), now };
  const news = (parts: Partial<RolloutNews> = {}): RolloutNews => ({ isHeld: false, failure, ...parts });
  const finish = (actions: readonly Action[], said: RolloutNews): Plan => {
    const { status, wakeAt } = deploymentStatus(rollout, said);
    const all: readonly Action[] = [...claimed.actions, ...actions, { do: "status", status }];
    return wakeAt === undefined ? { actions: all } : { actions: all, wakeAt };
  };
  if (deployment.metadata.deletionTimestamp !== undefined) return finish([], news({ isHeld: true }));
  if (deployment.spec.paused === true) {
    return finish([...scaleProportionally(rollout), ...outdated(rollout)], news({ isHeld: true }));
  }
  if (isScaled(rollout)) return finish(scaleProportionally(rollout), news({ isHeld: true }));

  const { newSet, oldSets } = rollout;
  const isRecreate = deployment.spec.strategy?.type === "Recreate";
  const inTheWay = isRecreate ? oldSets.filter((set) => sizeOf(set) > 0) : [];
  if (inTheWay.length > 0) {
    return finish(
      inTheWay.flatMap((set) => scaleSet(deployment, set, 0)),
      news(),
    );
  }
  if (isRecreate && oldPodsRun(oldSets, pods)) return finish([], news());

  if (newSet === undefined) {
    const collisions = collisionsOf(deployment, isTaken);
    const create = createSet(rollout, newSize(rollout), collisions);
    const created = create.do === "create" ? String(create.object.metadata.name) : "";
    return finish([create, ...keepInStep(rollout)], news({ created, collisions }));
  }
  const steps = isRecreate
    ? sizeOf(newSet) === wanted(deployment)
      ? []
      : scaleSet(deployment, newSet, wanted(deployment))
    : rollingUpdate({ ...rollout, newSet });
  return finish([...keepInStep(rollout), ...steps, ...outdated(rollout)], news());
}

function oldPodsRun(oldSets: readonly StoredReplicaSet[], pods: readonly StoredPod[]): boolean {
  const uids = oldSets.map(({ metadata }) => metadata.uid);
  return pods.some(
    (pod) =>
      uids.includes(controllerOf(pod)?.uid ?? "") &&
      pod.status?.phase !== "Failed" &&
      pod.status?.phase !== "Succeeded",
  );
}

/** Deletes the oldest sets that `revisionHistoryLimit` does not keep, once nothing needs them. */
function outdated(rollout: Rollout): readonly Action[] {
  const { deployment, oldSets } = rollout;
  const { status } = deploymentStatus(rollout, { isHeld: true, failure: undefined });
  if (deployment.spec.paused !== true && !isComplete(deployment, status)) return [];
  const kept = oldSets.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const surplus = kept.length - (deployment.spec.revisionHistoryLimit ?? 10);
  return kept
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, Math.max(0, surplus))
    .filter(isEmpty)
    .map(({ metadata: { name, uid } }) => ({ do: "delete", resource: "replicasets.apps", name, uid }));
}

function isEmpty(set: StoredReplicaSet): boolean {
  const { status, metadata } = set;
  return (
    sizeOf(set) === 0 &&
    (status?.replicas ?? 0) === 0 &&
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}
