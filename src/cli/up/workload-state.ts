import type { KubernetesObject } from "../../kube/types.ts";

interface Counts {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
  readonly desiredNumberScheduled?: number;
  readonly updatedNumberScheduled?: number;
  readonly numberAvailable?: number;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** Whether all pods that an object of the kind wants are there, of its newest template, as `kubectl rollout status` judges. */
export function isSettled(kind: string, { spec, status, metadata }: KubernetesObject): boolean {
  const wanted = (spec as { replicas?: number }).replicas ?? 1;
  const counts = (status ?? {}) as Counts;
  if ((counts.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = counts;
  switch (kind) {
    case "Deployment":
      return updatedReplicas === wanted && replicas === wanted && availableReplicas >= wanted;
    case "StatefulSet":
      return (
        readyReplicas === wanted &&
        (counts.currentRevision === counts.updateRevision || isPartitioned(spec) || isOnDelete(spec))
      );
    case "DaemonSet":
      return (
        (counts.numberAvailable ?? 0) >= (counts.desiredNumberScheduled ?? 0) &&
        (isOnDelete(spec) || (counts.updatedNumberScheduled ?? 0) >= (counts.desiredNumberScheduled ?? 0))
      );
    default:
      return availableReplicas >= wanted;
  }
}

/** Whether a Job has its last condition. */
export function hasFinished({ status }: KubernetesObject): boolean {
  return ((status ?? {}) as Counts).conditions?.some(isLast) === true;
}

function isLast({ type, status }: { readonly type: string; readonly status: string }): boolean {
  return status === "True" && (type === "Complete" || type === "Failed");
}

function isPartitioned(spec: unknown): boolean {
  const { updateStrategy } = spec as { updateStrategy?: { rollingUpdate?: { partition?: number } } };
  return (updateStrategy?.rollingUpdate?.partition ?? 0) > 0;
}

function isOnDelete(spec: unknown): boolean {
  return (spec as { updateStrategy?: { type?: string } }).updateStrategy?.type === "OnDelete";
}
