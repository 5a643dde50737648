import { childPath, itemPath } from "../../kube/field-path.ts";
import { labelNameProblems } from "../../kube/names.ts";
import type { PodSpec } from "../../kube/types.ts";
import { duplicate, forbidden, invalid, notFound, type Problem, required } from "../problems.ts";
import { validateContainer } from "./containers.ts";

/** What only containers have that a pod is planned with. */
const plannedFields = [
  "ports",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
] as const;

/** Rules for containers that were added to a running pod; `names` are those of its other containers. */
export function validateEphemeralContainers(spec: PodSpec): Problem[] {
  const others = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map(({ name }) => name);
  const names = new Set(others);
  return (spec.ephemeralContainers ?? []).flatMap((container, index) => {
    const path = itemPath("spec.ephemeralContainers", index);
    const namePath = childPath(path, "name");
    const { name, targetContainerName: target } = container;
    const problems: Problem[] = [];
    if (!name) problems.push(required(namePath));
    else if (names.has(name)) problems.push(duplicate(namePath, name));
    else problems.push(...labelNameProblems(name).map((text) => invalid(namePath, name, text)));
    names.add(name);
    problems.push(...validateContainer(path, container, spec));
    for (const field of plannedFields) {
      if (isSet(container[field])) problems.push(notForEphemeral(childPath(path, field)));
    }
    for (const [mountIndex, mount] of (container.volumeMounts ?? []).entries()) {
      const mountPath = itemPath(childPath(path, "volumeMounts"), mountIndex);
      for (const field of ["subPath", "subPathExpr"] as const) {
        if (mount[field]) problems.push(notForEphemeral(childPath(mountPath, field)));
      }
    }
    if (target && !others.includes(target)) {
      problems.push(notFound(childPath(path, "targetContainerName"), target));
    }
    return problems;
  });
}

function notForEphemeral(field: string): Problem {
  return forbidden(field, "cannot be set for an Ephemeral Container");
}

function isSet(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== "";
}
