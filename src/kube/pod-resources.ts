import { initAndAppContainers } from "./pod-containers.ts";
import { parseQuantity, type Quantity, quantityMilliValue, quantityValue } from "./quantity.ts";
import type { PodSpec } from "./types.ts";

/** Amounts by resource name: thousandths of a CPU, whole units (bytes) of anything else. */
export type Amounts = ReadonlyMap<string, bigint>;

type List = "requests" | "limits";

/** Resources that a pod as a whole can ask for; what it says of them itself goes before what its containers say. */
const podLevelResources = /^(?:cpu|memory|hugepages-.+)$/;

/**
 * What a pod asks for as a whole: its containers together, or the largest moment of its initialization, where
 * sidecars count from their start on; plus the overhead of its runtime class; or what `spec.resources` says
 * (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers).
 */
export function podAmounts(spec: PodSpec, list: List): Amounts {
  const total = new Map<string, bigint>();
  for (const container of spec.containers) addTo(total, amountsOf(container.resources?.[list]));
  const sidecars = new Map<string, bigint>();
  let peak = new Map<string, bigint>();
  for (const container of spec.initContainers ?? []) {
    const own = amountsOf(container.resources?.[list]);
    const moment = new Map(sidecars);
    addTo(moment, own);
    if (container.restartPolicy === "Always") addTo(sidecars, own);
    peak = larger(peak, moment);
  }
  addTo(total, sidecars);
  const sum = larger(total, peak);
  for (const [name, amount] of amountsOf(spec.resources?.[list])) {
    if (podLevelResources.test(name)) sum.set(name, amount);
  }
  addTo(sum, amountsOf(spec.overhead));
  return sum;
}

/** Whether every container is limited in this resource, or the pod as a whole is. */
export function isLimited(spec: PodSpec, name: string): boolean {
  if ((amountsOf(spec.resources?.limits).get(name) ?? 0n) > 0n) return true;
  return initAndAppContainers(spec).every(
    ({ resources }) => (amountsOf(resources?.limits).get(name) ?? 0n) > 0n,
  );
}

/** A list of quantities as amounts; what is no quantity is left out. */
export function amountsOf(list: Readonly<Record<string, string | number>> | undefined): Map<string, bigint> {
  const amounts = new Map<string, bigint>();
  for (const [name, text] of Object.entries(list ?? {})) {
    const quantity = parseQuantity(text);
    if (quantity !== undefined) amounts.set(name, amountOf(name, quantity));
  }
  return amounts;
}

function amountOf(name: string, quantity: Quantity): bigint {
  return name === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity);
}

function addTo(sum: Map<string, bigint>, more: Amounts): void {
  for (const [name, amount] of more) sum.set(name, (sum.get(name) ?? 0n) + amount);
}

function larger(a: Amounts, b: Amounts): Map<string, bigint> {
  const result = new Map(a);
  for (const [name, amount] of b) {
    if (amount > (result.get(name) ?? 0n)) result.set(name, amount);
  }
  return result;
}
