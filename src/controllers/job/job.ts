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
