import { childPath, itemPath } from "../../kube/field-path.ts";
import { qualifiedNameProblems } from "../../kube/names.ts";
import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from "../../kube/quantity.ts";
import type { Container } from "../../kube/types.ts";
import { at, forbidden, invalid, type Problem, required } from "../problems.ts";
import { spellingHint } from "../spelling.ts";

type ResourceList = Readonly<Record<string, string | number>>;

const containerResources = ["cpu", "memory", "ephemeral-storage"];
const hugePages = "hugepages-";

/** Rules for a container's (or a pod's) requests and limits. */
export function validateResources(path: string, resources: Container["resources"]): Problem[] {
  const limits: ResourceList = resources?.limits ?? {};
  const requests: ResourceList = resources?.requests ?? {};
  const problems = [
    ...validateList(childPath(path, "limits"), limits),
    ...validateList(childPath(path, "requests"), withoutCopies(requests, limits)),
  ];
  for (const [name, value] of Object.entries(requests)) {
    problems.push(...compareWithLimit(path, name, value, limits[name]));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    problems.push(forbidden(path, "HugePages require cpu or memory"));
  }
  return problems;
}

/** Requests that defaulting took over from the limits would only repeat the limits' problems. */
function withoutCopies(requests: ResourceList, limits: ResourceList): ResourceList {
  return Object.fromEntries(Object.entries(requests).filter(([name, value]) => limits[name] !== value));
}

function validateList(path: string, list: ResourceList): Problem[] {
  return Object.entries(list).flatMap(([name, value]) => {
    const field = itemPath(path, name);
    const problems: Problem[] = qualifiedNameProblems(name).map((text) => invalid(field, name, text));
    if (problems.length === 0 && !name.includes("/") && !isContainerResource(name)) {
      const hint = spellingHint(name, containerResources);
      problems.push(invalid(field, name, `must be a standard resource for containers${hint}`));
    }
    const quantity = parseQuantity(value);
    if (quantity !== undefined && quantity.nano < 0n) {
      problems.push(invalid(field, value, "must be greater than or equal to 0"));
    }
    if (quantity !== undefined && isExtended(name) && quantity.nano % 10n ** 9n !== 0n) {
      problems.push(invalid(field, value, "must be an integer"));
    }
    return problems;
  });
}

function compareWithLimit(
  path: string,
  name: string,
  value: string | number,
  limitValue: string | number | undefined,
): Problem[] {
  const field = childPath(path, "requests");
  const cannotOvercommit = isExtended(name) || isHugePages(name);
  if (limitValue === undefined) {
    return cannotOvercommit
      ? [required(childPath(path, "limits"), "Limit must be set for non overcommitable resources")]
      : [];
  }
  const [request, limit] = [parseQuantity(value), parseQuantity(limitValue)] as [Quantity, Quantity];
  const order = compareQuantities(request, limit);
  const relation =
    cannotOvercommit && order !== 0 ? "equal to" : order > 0 ? "less than or equal to" : undefined;
  if (relation === undefined) return [];
  const detail = `must be ${relation} ${name} limit of ${formatQuantity(limit)}`;
  return [at(itemPath(field, name), invalid(field, formatQuantity(request), detail))];
}

function isContainerResource(name: string): boolean {
  return containerResources.includes(name) || isHugePages(name);
}

function isHugePages(name: string): boolean {
  return name.startsWith(hugePages);
}

/** A device or the like that is not Kubernetes' own, as `example.com/gpu`. */
function isExtended(name: string): boolean {
  return name.includes("/") && !name.includes("kubernetes.io/");
}
