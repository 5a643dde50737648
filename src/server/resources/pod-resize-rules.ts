import { isDeepStrictEqual } from "node:util";
import { childPath, itemPath } from "../../kube/field-path.ts";
import { podQOSClass } from "../../kube/pod-qos.ts";
import type { Container, KubernetesObject, PodSpec, StoredPod } from "../../kube/types.ts";
import type { ManifestProblem } from "../../manifest/types.ts";
import { invalidObject } from "../admission.ts";

type Problem = Pick<ManifestProblem, "field" | "reason" | "message">;
type Resources = Container["resources"];

const lists = ["containers", "initContainers"] as const;
const changeable = ["cpu", "memory"];

/**
 * `proposed` as far as a resize may change a pod: the resources and resize policies of the containers that it names,
 * and the resources of the pod as a whole. All else of the pod stays as it is.
 */
export function resizedSpec(current: PodSpec, proposed: Partial<PodSpec>): PodSpec {
  const { resources: _, ...rest } = current;
  const spec: PodSpec = { ...rest };
  if (proposed.resources !== undefined) spec.resources = proposed.resources;
  for (const list of lists) {
    const containers = current[list]?.map((container) => {
      const wanted = proposed[list]?.find(({ name }) => name === container.name);
      if (wanted === undefined) return container;
      const { resources: _resources, resizePolicy: _policy, ...others } = container;
      const { resources, resizePolicy } = wanted;
      return {
        ...others,
        ...(resources === undefined ? {} : { resources }),
        ...(resizePolicy === undefined ? {} : { resizePolicy }),
      };
    });
    if (containers !== undefined) spec[list] = containers;
  }
  return spec;
}

/**
 * Refuses a resize that the API server refuses: another quality of service class, a request or limit that is gone,
 * other resources than cpu and memory, containers that have run to their end
 * (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#limitations).
 */
export function checkResize(nextObject: KubernetesObject, currentObject: KubernetesObject): void {
  const next = nextObject as unknown as StoredPod;
  const current = currentObject as unknown as StoredPod;
  const problems: Problem[] = [];
  const quality = podQOSClass(current);
  if (podQOSClass(next) !== quality) {
    problems.push({
      field: "spec",
      reason: "FieldValueInvalid",
      message: `Invalid value: ${JSON.stringify(quality)}: Pod QOS Class may not change as a result of resizing`,
    });
  }
  problems.push(...removals("spec.resources", next.spec.resources, current.spec.resources));
  for (const list of lists) {
    for (const [index, before] of (current.spec[list] ?? []).entries()) {
      const after = next.spec[list]?.[index] ?? before;
      const field = childPath(itemPath(`spec.${list}`, index), "resources");
      problems.push(...removals(field, after.resources, before.resources));
    }
  }
  if (!isDeepStrictEqual(fixedPart(next.spec, "containers"), fixedPart(current.spec, "containers"))) {
    problems.push(forbidden("spec", "only cpu and memory resources are mutable"));
  }
  if (!isDeepStrictEqual(fixedPart(next.spec, "initContainers"), fixedPart(current.spec, "initContainers"))) {
    problems.push(forbidden("spec", "only cpu and memory resources for sidecar containers are mutable"));
  }
  if (problems.length > 0) throw invalidObject({ kind: "Pod", group: "" }, current.metadata.name, problems);
}

function removals(field: string, next: Resources, current: Resources): Problem[] {
  return (["requests", "limits"] as const).flatMap((list) => {
    const removed = Object.keys(current?.[list] ?? {}).filter((name) => next?.[list]?.[name] === undefined);
    return removed.length === 0
      ? []
      : [forbidden(childPath(field, list), `resource ${list} cannot be removed`)];
  });
}

/** The containers without what a resize may change of them. */
function fixedPart(spec: PodSpec, list: (typeof lists)[number]): readonly object[] {
  return (spec[list] ?? []).map((container) => {
    if (list === "initContainers" && container.restartPolicy !== "Always") return container;
    const { resources, resizePolicy: _, ...others } = container;
    return {
      ...others,
      limits: unchangeable(resources?.limits),
      requests: unchangeable(resources?.requests),
    };
  });
}

function unchangeable(amounts: Readonly<Record<string, string | number>> | undefined): object {
  return Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => !changeable.includes(name)));
}

function forbidden(field: string, why: string): Problem {
  return { field, reason: "FieldValueForbidden", message: `Forbidden: ${why}` };
}
