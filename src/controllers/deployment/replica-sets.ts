import { isDeepStrictEqual } from "node:util";
import type { PodTemplateSpec } from "../../kube/types.ts";
import { controllerReference } from "../ownership.ts";
import type { StoredReplicaSet } from "../replica-set/plan.ts";
import { templateHash } from "../template-hash.ts";
import type { Action, NewObject } from "../types.ts";
import {
  annotations,
  limits,
  type Rollout,
  revisionOf,
  type StoredDeployment,
  wanted,
} from "./deployment.ts";

const hashLabel = "pod-template-hash";

/** What of a Deployment's annotations is its own and not its ReplicaSets'. */
const notCopied: readonly string[] = [
  "kubectl.kubernetes.io/last-applied-configuration",
  ...Object.values(annotations),
  "deprecated.deployment.rollback.to",
];

/** The set of the Deployment's template (the oldest of several), and the others, oldest first. */
export function tellApart(
  deployment: StoredDeployment,
  sets: readonly StoredReplicaSet[],
): Pick<Rollout, "newSet" | "oldSets"> {
  const oldestFirst = sets.toSorted(
    (a, b) =>
      Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
      a.metadata.name.localeCompare(b.metadata.name),
  );
  const wantedTemplate = withoutHash(deployment.spec.template);
  const hash = templateHash(deployment.spec.template, deployment.status?.collisionCount ?? 0);
  const newSet =
    oldestFirst.find((set) => isDeepStrictEqual(withoutHash(set.spec.template), wantedTemplate)) ??
    // A set that was made of it, though a version of Peapod that fills in more has written it since.
    oldestFirst.find((set) => set.metadata.labels?.[hashLabel] === hash);
  return { newSet, oldSets: oldestFirst.filter((set) => set !== newSet) };
}

function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec | undefined {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
}

/** How many times the hash had to be made anew because a set of somebody else has its name. */
export function collisionsOf(deployment: StoredDeployment, isTaken: (name: string) => boolean): number {
  let count = deployment.status?.collisionCount ?? 0;
  while (isTaken(nameOfSet(deployment, count))) count += 1;
  return count;
}

function nameOfSet(deployment: StoredDeployment, collisions: number): string {
  return `${deployment.metadata.name}-${templateHash(deployment.spec.template, collisions)}`;
}

/** The step that makes the set of the present template. */
export function createSet(rollout: Rollout, size: number, collisions: number): Action {
  const { deployment } = rollout;
  const hash = templateHash(deployment.spec.template, collisions);
  const name = nameOfSet(deployment, collisions);
  const { template, selector, minReadySeconds } = deployment.spec;
  const labels = { ...template?.metadata?.labels, [hashLabel]: hash };
  const object: NewObject = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      labels,
      annotations: {
        ...copied(deployment),
        [annotations.revision]: String(nextRevision(rollout)),
        ...replicasAnnotations(deployment),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: size,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  };
  return {
    do: "create",
    resource: "replicasets.apps",
    object,
    ...(size === 0 ? {} : { event: scalingEvent("{name}", 0, size) }),
    failure: {
      reason: "ReplicaSetCreateError",
      message: `Failed to create new replica set "${name}": {error}`,
    },
  };
}

/** Steps that keep the set's annotations and patience, and the Deployment's revision, in step with the Deployment. */
export function keepInStep(rollout: Rollout): readonly Action[] {
  const { deployment, newSet } = rollout;
  const revision = String(
    newSet === undefined ? nextRevision(rollout) : Math.max(nextRevision(rollout), revisionOf(newSet)),
  );
  const actions: Action[] = [];
  if (newSet !== undefined) {
    const changed = Object.entries({ ...copied(deployment), ...revisions(newSet, revision) }).filter(
      ([key, value]) => newSet.metadata.annotations?.[key] !== value,
    );
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    const isPatient = (newSet.spec.minReadySeconds ?? 0) === minReadySeconds;
    if (changed.length > 0 || !isPatient) {
      actions.push(
        patchSet(newSet, {
          ...(changed.length === 0 ? {} : { metadata: { annotations: Object.fromEntries(changed) } }),
          ...(isPatient ? {} : { spec: { minReadySeconds } }),
        }),
      );
    }
  }
  if (deployment.metadata.annotations?.[annotations.revision] !== revision) {
    const { name, uid } = deployment.metadata;
    const patch = { metadata: { annotations: { [annotations.revision]: revision } } };
    actions.push({ do: "patch", resource: "deployments.apps", name, uid, patch });
  }
  return actions;
}

/** A step that scales the set and notes what it was scaled for; none where all is so already. */
export function scaleSet(
  deployment: StoredDeployment,
  set: StoredReplicaSet,
  size: number,
): readonly Action[] {
  const before = set.spec.replicas ?? 1;
  const notes = replicasAnnotations(deployment);
  const isNoted = Object.entries(notes).every(([key, value]) => set.metadata.annotations?.[key] === value);
  if (before === size && isNoted) return [];
  const patch = {
    metadata: { annotations: notes },
    ...(before === size ? {} : { spec: { replicas: size } }),
  };
  const event = before === size ? {} : { event: scalingEvent("{name}", before, size) };
  return [{ ...patchSet(set, patch), ...event }];
}

function patchSet({ metadata }: StoredReplicaSet, patch: object): Extract<Action, { do: "patch" }> {
  const { name, uid } = metadata;
  return { do: "patch", resource: "replicasets.apps", name, uid, patch: { ...patch } };
}

function scalingEvent(name: string, from: number, to: number) {
  const direction = to > from ? "up" : "down";
  return {
    reason: "ScalingReplicaSet",
    message: `Scaled ${direction} replica set ${name} from ${from} to ${to}`,
  };
}

function replicasAnnotations(deployment: StoredDeployment): Readonly<Record<string, string>> {
  const replicas = wanted(deployment);
  return {
    [annotations.desiredReplicas]: String(replicas),
    [annotations.maxReplicas]: String(replicas + limits(deployment).maxSurge),
  };
}

function copied({ metadata }: StoredDeployment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([key]) => !notCopied.includes(key)),
  );
}

function nextRevision({ oldSets }: Pick<Rollout, "oldSets">): number {
  return Math.max(0, ...oldSets.map(revisionOf)) + 1;
}

/** A set that is rolled back to gets the newest number; those that it had are kept. */
function revisions(set: StoredReplicaSet, revision: string): Readonly<Record<string, string>> {
  const before = set.metadata.annotations?.[annotations.revision];
  if (before === revision) return {};
  const history = set.metadata.annotations?.[annotations.revisionHistory];
  return {
    [annotations.revision]: revision,
    ...(before === undefined
      ? {}
      : { [annotations.revisionHistory]: history === undefined ? before : `${history},${before}` }),
  };
}
