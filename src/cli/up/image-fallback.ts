import { imageFallbackAnnotation } from "../../kube/peapod-names.ts";
import type { ObjectMeta } from "../../kube/types.ts";
import type { ManifestedObject } from "../manifests.ts";

interface Template {
  readonly metadata?: ObjectMeta | undefined;
}

/**
 * The object with the annotation that lets the host image stand in, on the pod or on the template of the pods that it
 * makes. One that says something else itself keeps that; what makes no pods is returned as it is.
 */
export function withImageFallback(object: ManifestedObject, fallback: string): ManifestedObject {
  const annotated = <T extends Template>(pod: T): T => {
    const annotations = { [imageFallbackAnnotation]: fallback, ...pod.metadata?.annotations };
    return { ...pod, metadata: { ...pod.metadata, annotations } };
  };
  if (object.kind === "Pod") return annotated(object as ManifestedObject & Template);
  return withTemplate(object, annotated);
}

/** Templates are where Kubernetes' workloads have them: `spec.template`, a CronJob's below `spec.jobTemplate`. */
function withTemplate<T>(object: T, change: (template: Template) => Template): T {
  const { spec } = object as { spec?: { template?: Template; jobTemplate?: object } };
  if (spec?.jobTemplate !== undefined) {
    return { ...object, spec: { ...spec, jobTemplate: withTemplate(spec.jobTemplate, change) } };
  }
  return spec?.template === undefined
    ? object
    : { ...object, spec: { ...spec, template: change(spec.template) } };
}
