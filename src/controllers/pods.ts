import { matchesSelector } from "../kube/match-selector.ts";
import { isEndedPhase } from "../kube/pod-phase.ts";
import type { KubernetesObject, LabelSelector, PodTemplateSpec, StoredPod } from "../kube/types.ts";
import { controllerOf, controllerReference } from "./ownership.ts";
import type { NewObject, ObjectReader } from "./types.ts";

/** Not ended and not on its way there. */
export function isActive(pod: StoredPod): boolean {
  return !isDeleted(pod) && !isEnded(pod);
}

/** When it became ready, in milliseconds since the epoch; undefined while it is not. */
export function readySince({ status }: StoredPod): number | undefined {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" ? Date.parse(ready.lastTransitionTime ?? "") : undefined;
}

/**
 * When the pod is or will be available: ready for `minReadySeconds` without a break. Undefined while it is not
 * ready.
 */
function availableAt(pod: StoredPod, minReadySeconds: number): number | undefined {
  const since = readySince(pod);
  return since === undefined ? undefined : minReadySeconds === 0 ? 0 : since + minReadySeconds * 1_000;
}

/** Whether it has been ready for long enough. */
export function isAvailable(pod: StoredPod, minReadySeconds: number, now: number): boolean {
  const at = availableAt(pod, minReadySeconds);
  return at !== undefined && at <= now;
}

/** When the next of the pods that are ready, but not for long enough, will be available. */
export function nextAvailable(
  pods: readonly StoredPod[],
  minReadySeconds: number,
  now: number,
): number | undefined {
  return earliest(
    pods.map((pod) => availableAt(pod, minReadySeconds)).filter((at) => at !== undefined && at > now),
  );
}

/** Whether all its containers have ended for good. */
export function isEnded({ status }: StoredPod): boolean {
  return isEndedPhase(status?.phase);
}

/** Whether somebody has asked for the pod's end. */
export function isDeleted({ metadata }: StoredPod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** When the last of the pod's containers ended, in milliseconds since the epoch; of one that never ran, when it was made. */
export function endOf({ status, metadata }: StoredPod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state?.terminated?.finishedAt ?? ""),
  );
  const known = ends.filter((end) => !Number.isNaN(end));
  return known.length > 0 ? Math.max(...known) : Date.parse(metadata.creationTimestamp);
}

/** The first of the times that are there. */
export function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** The pods of the owner's namespace that are its own, or could be: nobody's that it selects. */
export function podsNear(
  owner: KubernetesObject,
  selector: LabelSelector | undefined,
  objects: ObjectReader,
): readonly StoredPod[] {
  const { namespace = "", uid } = owner.metadata;
  const isNear = (pod: KubernetesObject) => {
    const controller = controllerOf(pod);
    if (controller !== undefined) return controller.uid === uid;
    return matchesSelector(selector, pod.metadata.labels);
  };
  return objects.list("pods", { namespace, matches: isNear }).items as unknown as readonly StoredPod[];
}

/** A pod of the template, controlled by `owner`. Its name (or `generateName`) and what else is particular come in `metadata`. */
export function podOf(
  owner: KubernetesObject,
  template: PodTemplateSpec | undefined,
  metadata: {
    readonly name?: string;
    readonly generateName?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  },
): NewObject {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadata,
      labels: { ...labels, ...metadata.labels },
      annotations: { ...annotations, ...metadata.annotations },
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template?.spec,
  };
}
