import { childPath } from "../../kube/field-path.ts";
import type { Container, PodSpec } from "../../kube/types.ts";
import { duplicate, invalid, notSupported, type Problem, required } from "../problems.ts";

const resources = ["cpu", "memory"];
const policies = ["NotRequired", "RestartContainer"];

/**
 * Rules for how a container takes other resources
 * (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#container-resize-policies).
 */
export function validateResizePolicy(path: string, container: Container, spec: PodSpec): Problem[] {
  const field = childPath(path, "resizePolicy");
  const seen = new Set<string>();
  const { restartPolicy = spec.restartPolicy } = container;
  return (container.resizePolicy ?? []).flatMap(({ resourceName, restartPolicy: policy }): Problem[] => {
    const isKnown = policies.includes(policy);
    const problems = [
      ...(resourceName ? [] : [required(childPath(field, "resourceName"))]),
      ...(!resourceName || resources.includes(resourceName)
        ? []
        : [notSupported(field, resourceName, resources)]),
      ...(seen.has(resourceName) ? [duplicate(field, resourceName)] : []),
      ...(policy ? [] : [required(childPath(field, "restartPolicy"))]),
      ...(!policy || isKnown ? [] : [notSupported(field, policy, policies)]),
    ];
    seen.add(resourceName);
    if (isKnown && restartPolicy === "Never" && policy !== "NotRequired") {
      problems.push(invalid(field, policy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    }
    return problems;
  });
}
