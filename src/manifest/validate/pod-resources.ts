import { childPath, itemPath } from "../../kube/field-path.ts";
import { amountsOf, podAmounts } from "../../kube/pod-resources.ts";
import type { Container, PodSpec } from "../../kube/types.ts";
import { invalid, notSupported, type Problem } from "../problems.ts";
import { validateResources } from "./resources.ts";

const field = "spec.resources";
const podLevel = ["cpu", "memory", "hugepages-"];

/**
 * Rules for what a pod asks for as a whole: only resources that it can share out, at least what its containers ask
 * for together, and no container limited to more
 * (https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#pod-level-resource-specification).
 */
export function validatePodResources(spec: PodSpec): Problem[] {
  const { resources, ...containersOnly } = spec;
  if (resources === undefined) return [];
  const problems = validateResources(field, resources);
  for (const list of ["limits", "requests"] as const) {
    for (const name of Object.keys(resources[list] ?? {})) {
      if (podLevel.some((known) => name.startsWith(known))) continue;
      problems.push(
        notSupported(itemPath(childPath(field, list), name), name, ["cpu", "hugepages-", "memory"]),
      );
    }
  }
  const together = podAmounts(containersOnly, "requests");
  for (const [name, amount] of amountsOf(resources.requests)) {
    const sum = together.get(name) ?? 0n;
    if (sum <= amount) continue;
    const detail = `must be greater than or equal to aggregate container requests of ${text(name, sum)}`;
    problems.push(invalid(itemPath(childPath(field, "requests"), name), resources.requests?.[name], detail));
  }
  for (const [name, limit] of amountsOf(resources.limits)) {
    for (const [path, container] of containersOf(spec)) {
      const own = amountsOf(container.resources?.limits).get(name) ?? 0n;
      if (own <= limit) continue;
      const detail = `must be less than or equal to pod limits of ${text(name, limit)}`;
      problems.push(
        invalid(itemPath(`${path}.resources.limits`, name), container.resources?.limits?.[name], detail),
      );
    }
  }
  return problems;
}

function containersOf(spec: PodSpec): readonly (readonly [path: string, container: Container])[] {
  return (["initContainers", "containers"] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => [itemPath(`spec.${list}`, index), container] as const),
  );
}

function text(name: string, amount: bigint): string {
  return name === "cpu" ? `${amount}m` : String(amount);
}
