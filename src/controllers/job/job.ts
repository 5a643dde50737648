import type { IJob } from "kubernetes-models/batch/v1/Job";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import { holds } from "../conditions.ts";

/** A Job that the API has accepted. */
export type StoredJob = KubernetesObject & Required<Pick<IJob, "spec">> & Pick<IJob, "status">;

/** Whether it will never run a pod again. */
export function isFinished({ status }: StoredJob): boolean {
  return holds(status?.conditions, "Complete") || holds(status?.conditions, "Failed");
}

/** Whether each of its pods has a number of its own. */
export function isIndexed({ spec }: StoredJob): boolean {
  return spec.completionMode === "Indexed";
}

/** Annotation and label with a pod's number. */
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";

/** The pod's number; undefined for one that has none that the Job has. */
export function indexOf({ spec }: StoredJob, { metadata }: StoredPod): number | undefined {
  const text = metadata.annotations?.[indexAnnotation];
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  return Number(text) < (spec.completions ?? 0) ? Number(text) : undefined;
}

/** When the last of the pod's containers ended, in milliseconds since the epoch. */
export function endOf({ status, metadata }: StoredPod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state?.terminated?.finishedAt ?? ""),
  );
  const known = ends.filter((end) => !Number.isNaN(end));
  return known.length > 0 ? Math.max(...known) : Date.parse(metadata.creationTimestamp);
}
