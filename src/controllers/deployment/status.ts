import type { IDeploymentCondition } from "kubernetes-models/apps/v1/DeploymentCondition";
import { kubernetesTime } from "../../base/clock.ts";
import type { PlanFailure } from "../types.ts";
import { allSets, limits, type Rollout, type StoredDeployment, sizeOf, total, wanted } from "./deployment.ts";

type Status = NonNullable<StoredDeployment["status"]>;

/** Value of `progressDeadlineSeconds` that means none. */
const noDeadline = 2 ** 31 - 1;

/** What the plan does that its conditions must say. */
export interface RolloutNews {
  /** Name of the set that is made. */
  readonly created?: string;
  readonly collisions?: number;
  /** Whether the Deployment is only scaled or paused: then its progress is not judged. */
  readonly isHeld: boolean;
  readonly failure: PlanFailure | undefined;
}

/**
 * The status with the reasons of kube-controller-manager
 * (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status), and when to judge it again.
 */
export function deploymentStatus(rollout: Rollout, news: RolloutNews): { status: Status; wakeAt?: number } {
  const { deployment, newSet, now } = rollout;
  const sets = allSets(rollout);
  const available = total(sets, ({ status }) => status?.availableReplicas ?? 0);
  const collisionCount = news.collisions || deployment.status?.collisionCount;
  const counts: Status = {
    observedGeneration: deployment.metadata.generation,
    replicas: total(sets, ({ status }) => status?.replicas ?? 0),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: total(sets, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, total(sets, sizeOf) - available),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  } as Status;

  let conditions: readonly IDeploymentCondition[] = deployment.status?.conditions ?? [];
  const set = (type: string, status: string, reason: string, message: string, isNews = false) => {
    conditions = withCondition(conditions, { type, status, reason, message }, now, isNews);
  };
  if (available >= wanted(deployment) - limits(deployment).maxUnavailable) {
    set("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.");
  } else {
    set("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.");
  }
  judgeProgress(rollout, counts, news, conditions, set);
  if (!hasDeadline(deployment)) conditions = conditions.filter(({ type }) => type !== "Progressing");
  const failure = failureOf(rollout, news);
  if (failure === undefined) conditions = conditions.filter(({ type }) => type !== "ReplicaFailure");
  else set("ReplicaFailure", "True", failure.reason ?? "", failure.message ?? "");

  const progress = conditions.find(({ type }) => type === "Progressing");
  const wakeAt =
    news.isHeld || isComplete(deployment, counts) ? undefined : deadlineAfter(deployment, progress);
  return {
    status: { ...counts, conditions: [...conditions] },
    ...(wakeAt === undefined || wakeAt <= now ? {} : { wakeAt }),
  };
}

/** Whether every pod is of the present template, and as many as wanted are available. */
export function isComplete(deployment: StoredDeployment, status: Status): boolean {
  const replicas = wanted(deployment);
  return (
    status.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function judgeProgress(
  { deployment, newSet, now }: Rollout,
  counts: Status,
  { created, isHeld }: RolloutNews,
  conditions: readonly IDeploymentCondition[],
  set: (type: string, status: string, reason: string, message: string, isNews?: boolean) => void,
): void {
  const current = conditions.find(({ type }) => type === "Progressing");
  if (deployment.spec.paused === true) {
    if (current?.reason !== "ProgressDeadlineExceeded") {
      set("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused");
    }
    return;
  }
  if (current?.reason === "DeploymentPaused") {
    set("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed");
    return;
  }
  if (isHeld) return;
  if (created !== undefined) {
    set("Progressing", "True", "NewReplicaSetCreated", `Created new replica set "${created}"`);
    return;
  }
  const subject =
    newSet === undefined
      ? `Deployment "${deployment.metadata.name}"`
      : `ReplicaSet "${newSet.metadata.name}"`;
  if (current?.reason === "NewReplicaSetAvailable" && counts.replicas === counts.updatedReplicas) return;
  if (isComplete(deployment, counts)) {
    set("Progressing", "True", "NewReplicaSetAvailable", `${subject} has successfully progressed.`);
  } else if (hasProgressed(deployment.status, counts)) {
    set("Progressing", "True", "ReplicaSetUpdated", `${subject} is progressing.`, true);
  } else if (current === undefined) {
    if (newSet !== undefined) {
      const message = `Found new replica set "${newSet.metadata.name}"`;
      set("Progressing", "True", "FoundNewReplicaSet", message);
    }
  } else if ((deadlineAfter(deployment, current) ?? Number.POSITIVE_INFINITY) <= now) {
    set("Progressing", "False", "ProgressDeadlineExceeded", `${subject} has timed out progressing.`);
  }
}

function hasProgressed(before: Status | undefined, after: Status): boolean {
  const old = (status: Status | undefined) => (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
  );
}

function hasDeadline({ spec }: StoredDeployment): boolean {
  return (spec.progressDeadlineSeconds ?? noDeadline) < noDeadline;
}

/** When a rollout that the condition says goes on will have taken too long. */
function deadlineAfter(
  deployment: StoredDeployment,
  progress: IDeploymentCondition | undefined,
): number | undefined {
  if (!hasDeadline(deployment) || progress?.lastUpdateTime === undefined) return undefined;
  if (progress.reason === "NewReplicaSetAvailable") return undefined;
  return Date.parse(progress.lastUpdateTime) + (deployment.spec.progressDeadlineSeconds ?? 0) * 1_000;
}

/** What keeps pods from being made: the plan's own failure, or that of a set, the newest first. */
function failureOf(rollout: Rollout, { failure }: RolloutNews) {
  return (
    failure ??
    allSets(rollout)
      .toReversed()
      .flatMap(({ status }) => status?.conditions ?? [])
      .find(({ type }) => type === "ReplicaFailure")
  );
}

/** `isNews`: the same condition once more shows that things move. */
function withCondition(
  conditions: readonly IDeploymentCondition[],
  next: IDeploymentCondition,
  now: number,
  isNews: boolean,
): readonly IDeploymentCondition[] {
  const current = conditions.find(({ type }) => type === next.type);
  if (!isNews && current?.status === next.status && current.reason === next.reason) return conditions;
  const time = kubernetesTime(now);
  const lastTransitionTime = current?.status === next.status ? (current.lastTransitionTime ?? time) : time;
  return [
    ...conditions.filter(({ type }) => type !== next.type),
    { ...next, lastUpdateTime: time, lastTransitionTime },
  ];
}
