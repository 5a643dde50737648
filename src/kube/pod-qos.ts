import { addQuantities, parseQuantity, type Quantity } from "./quantity.ts";
import type { Container, Pod } from "./types.ts";

export type QOSClass = "Guaranteed" | "Burstable" | "BestEffort";

type Sums = Partial<Record<"cpu" | "memory", Quantity>>;

const resources = ["cpu", "memory"] as const;

/**
 * The pod's quality of service class (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/): `Guaranteed`
 * when every container limits cpu and memory and requests just that, `BestEffort` when none asks for anything.
 * Takes a defaulted pod; amounts of zero count as absent.
 */
export function podQOSClass(pod: Pod): QOSClass {
  const own = pod.spec?.resources;
  // What the pod says as a whole stands for all its containers.
  const containers: readonly Pick<Container, "resources">[] =
    own !== undefined && Object.keys({ ...own.requests, ...own.limits }).length > 0
      ? [{ resources: own }]
      : [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const requests = sum(containers, "requests");
  const limits = sum(containers, "limits");
  if (Object.keys(requests).length === 0 && Object.keys(limits).length === 0) return "BestEffort";
  const allLimited = containers.every((container) =>
    resources.every((resource) => amount(container, "limits", resource) !== undefined),
  );
  const equal = resources.every((resource) => requests[resource]?.nano === limits[resource]?.nano);
  return allLimited && equal ? "Guaranteed" : "Burstable";
}

function sum(containers: readonly Pick<Container, "resources">[], list: "requests" | "limits"): Sums {
  const sums: Sums = {};
  for (const container of containers) {
    for (const resource of resources) {
      const quantity = amount(container, list, resource);
      if (quantity === undefined) continue;
      const before = sums[resource];
      sums[resource] = before === undefined ? quantity : addQuantities(before, quantity);
    }
  }
  return sums;
}

function amount(
  container: Pick<Container, "resources">,
  list: "requests" | "limits",
  resource: "cpu" | "memory",
): Quantity | undefined {
  const value = container.resources?.[list]?.[resource];
  const quantity = value === undefined ? undefined : parseQuantity(value);
  return quantity !== undefined && quantity.nano > 0n ? quantity : undefined;
}
