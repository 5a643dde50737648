import type { IDaemonSet } from "kubernetes-models/apps/v1/DaemonSet";
import { isPodReady } from "../../kube/pod-phase.ts";
import type { KubernetesNode, KubernetesObject, StoredPod } from "../../kube/types.ts";
import { intOrPercent } from "../int-or-percent.ts";
import { claim } from "../ownership.ts";
import { earliest, endOf, isAvailable, isEnded, nextAvailable, podOf } from "../pods.ts";
import { hashOf, keepRevisions, revisionLabel, type StoredRevision } from "../revisions.ts";
import type { Action, Plan } from "../types.ts";
import { runsOn } from "./node-fit.ts";

/** A DaemonSet that the API has accepted. */
export type StoredDaemonSet = KubernetesObject &
  Required<Pick<IDaemonSet, "spec">> &
  Pick<IDaemonSet, "status">;

/** What a DaemonSet's plan is made from. */
export interface DaemonSetInput {
  readonly set: StoredDaemonSet;
  /** Its own and those of nobody that it selects. */
  readonly pods: readonly StoredPod[];
  readonly revisions: readonly StoredRevision[];
  /** The one node there is. */
  readonly node: KubernetesNode;
  readonly now: number;
}

/** A pod that has failed stays so long before another takes its place, so that a node that refuses it has peace. */
const failedForMilliseconds = 10_000;

/** Keeps one pod on the one node that there is (https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/). */
export function planDaemonSet(input: DaemonSetInput): Plan {
  const { set, revisions, node, now } = input;
  const { owned, actions: claims } = claim(set, set.spec.selector, "pods", input.pods);
  const isWanted = runsOn(set.spec.template.spec, node);
  const hash = hashOf(set);
  const alive = owned.filter((pod) => !isEnded(pod));
  const status: Action = { do: "status", status: statusOf(set, alive, hash, isWanted, now) };
  if (set.metadata.deletionTimestamp !== undefined) return { actions: [...claims, status] };

  const isOf = (pod: StoredPod, { metadata }: StoredRevision) =>
    pod.metadata.labels?.[revisionLabel] === metadata.labels?.[revisionLabel];
  const history = keepRevisions(set, revisions, (revision) => owned.some((pod) => isOf(pod, revision)));
  const ended = owned.filter((pod) => isEnded(pod) && pod.metadata.deletionTimestamp === undefined);
  const wait = ended.map((pod) => endOf(pod) + failedForMilliseconds).find((at) => at > now);
  const steps = [
    ...ended
      .filter((pod) => endOf(pod) + failedForMilliseconds <= now)
      .flatMap((pod) => removeEnded(pod, node)),
    ...(wait === undefined ? keepOne(set, alive, hash, isWanted, now) : []),
  ];
  const wakeAt = earliest([nextAvailable(alive, set.spec.minReadySeconds ?? 0, now), wait]);
  return {
    actions: [...claims, ...history, ...steps, status],
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

function removeEnded(pod: StoredPod, node: KubernetesNode): readonly Action[] {
  const { namespace, name } = pod.metadata;
  const hasFailed = pod.status?.phase === "Failed";
  const reason = hasFailed ? "FailedDaemonPod" : "SucceededDaemonPod";
  const message = `Found ${hasFailed ? "failed" : "succeeded"} daemon pod ${namespace}/${name} on node ${node.metadata?.name}, will try to ${hasFailed ? "kill" : "delete"} it`;
  return [{ do: "event", type: hasFailed ? "Warning" : "Normal", reason, message }, remove(pod)];
}

/** One pod of the present template, and the way there. */
function keepOne(
  set: StoredDaemonSet,
  alive: readonly StoredPod[],
  hash: string,
  isWanted: boolean,
  now: number,
): readonly Action[] {
  const staying = alive.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (!isWanted) return staying.map(remove);
  const isNew = ({ metadata }: StoredPod) => metadata.labels?.[revisionLabel] === hash;
  const { minReadySeconds = 0 } = set.spec;
  const [old, ...surplusOld] = oldestFirst(staying.filter((pod) => !isNew(pod)));
  const [young, ...surplusNew] = oldestFirst(staying.filter(isNew));
  const surplus = [...surplusOld, ...surplusNew].map(remove);
  if (old === undefined) {
    // The place is free only when a pod on its way out has left it.
    return young === undefined && staying.length === alive.length ? [make(set, hash), ...surplus] : surplus;
  }
  if (young !== undefined && (!surges(set) || isAvailable(young, minReadySeconds, now))) {
    return [...surplus, remove(old)];
  }
  if (set.spec.updateStrategy?.type === "OnDelete" || young !== undefined) return surplus;
  // One that surges is replaced when its follower is available, unless it is of no use itself.
  return surges(set) && isAvailable(old, minReadySeconds, now)
    ? [make(set, hash), ...surplus]
    : [...surplus, remove(old)];
}

/** Whether a new pod runs beside the old one until it is available. */
function surges({ spec }: StoredDaemonSet): boolean {
  const { updateStrategy } = spec;
  if (updateStrategy?.type === "OnDelete") return false;
  return intOrPercent(updateStrategy?.rollingUpdate?.maxSurge, 1, "up") > 0;
}

function oldestFirst(pods: readonly StoredPod[]): readonly StoredPod[] {
  return pods.toSorted(
    (a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp),
  );
}

function make(set: StoredDaemonSet, hash: string): Action {
  return {
    do: "create",
    resource: "pods",
    object: podOf(set, set.spec.template, {
      generateName: `${set.metadata.name}-`,
      labels: { [revisionLabel]: hash },
    }),
    event: { reason: "SuccessfulCreate", message: "Created pod: {name}" },
    failure: { reason: "FailedCreate", message: "Error creating: {error}" },
  };
}

function remove({ metadata: { name, uid } }: StoredPod): Action {
  const event = { reason: "SuccessfulDelete", message: "Deleted pod: {name}" };
  return { do: "delete", resource: "pods", name, uid, event };
}

function statusOf(
  set: StoredDaemonSet,
  alive: readonly StoredPod[],
  hash: string,
  isWanted: boolean,
  now: number,
): object {
  const { minReadySeconds = 0 } = set.spec;
  const [first] = oldestFirst(alive);
  const one = (holds: boolean) => (holds ? 1 : 0);
  const wanted = one(isWanted);
  const is = (test: (pod: StoredPod) => boolean) => one(isWanted && alive.some(test));
  const available = is((pod) => isAvailable(pod, minReadySeconds, now));
  return {
    desiredNumberScheduled: wanted,
    currentNumberScheduled: is(() => true),
    numberMisscheduled: one(!isWanted && first !== undefined),
    numberReady: is(isPodReady),
    updatedNumberScheduled: is(({ metadata }) => metadata.labels?.[revisionLabel] === hash),
    ...(available === 0 ? {} : { numberAvailable: available }),
    ...(wanted === available ? {} : { numberUnavailable: wanted - available }),
    observedGeneration: set.metadata.generation,
  };
}
