import type { IPodTemplateSpec } from "kubernetes-models/v1/PodTemplateSpec";
import { checkHonoured } from "../check-honoured.ts";
import { defaultPod } from "../default-pod.ts";
import type { Problem } from "../problems.ts";
import { validatePod } from "../validate/pod.ts";

/** Fills in the template's pod as on create, but for what only a running pod has. */
export function defaultTemplate(template: IPodTemplateSpec | undefined): void {
  if (template?.spec !== undefined) defaultPod(asPod(template));
}

/**
 * What is wrong with the pods that a template will make, whose `claimed` volumes its owner adds. What this version does
 * not honour is only a warning here: nothing runs yet.
 */
export function validateTemplate(
  field: string,
  template: IPodTemplateSpec | undefined,
  claimed: readonly string[] = [],
): Problem[] {
  if (template === undefined) return [];
  const pod = asPod(withVolumes(template, claimed));
  return [
    ...validatePod(pod),
    ...checkHonoured(pod).map((problem) => ({ ...problem, severity: "warning" as const })),
  ].map((problem) => ({ ...problem, field: `${field}.${problem.field}` }));
}

function withVolumes(template: IPodTemplateSpec, claimed: readonly string[]): IPodTemplateSpec {
  if (template.spec === undefined || claimed.length === 0) return template;
  const own = (template.spec.volumes ?? []).filter(({ name }) => !claimed.includes(name));
  const added = claimed.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return { ...template, spec: { ...template.spec, volumes: [...own, ...added] } };
}

/** The template as a pod of some name, sharing its spec. */
function asPod({ metadata, spec }: IPodTemplateSpec) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, name: "template" },
    ...(spec === undefined ? {} : { spec }),
  } as const;
}
