import { PeapodError } from "../../base/errors.ts";
import { initAndAppContainers } from "../../kube/pod-containers.ts";
import { parseQuantity, type Quantity, quantityMilliValue, quantityValue } from "../../kube/quantity.ts";
import type { Container, EnvVar, StoredPod } from "../../kube/types.ts";
import type { Allocatable } from "./sources.ts";

export type ResourceReference = NonNullable<NonNullable<EnvVar["valueFrom"]>["resourceFieldRef"]>;

/**
 * A container's request or limit divided by the reference's divisor and rounded up, as text. A limit that is not
 * set is what the node can give; a request that is not set is 0
 * (https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#downwardapi-resourceFieldRef). `own` is the
 * container meant when the reference names none. Throws CreateContainerConfigError.
 */
export function resourceValue(
  reference: ResourceReference,
  pod: StoredPod,
  own: Container | undefined,
  allocatable: Allocatable,
): string {
  const container = reference.containerName ? containerOf(pod, reference.containerName) : own;
  if (container === undefined) throw failure(`container ${reference.containerName ?? ""} not found`);
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(reference.resource);
  const [, list, name = ""] = match ?? [];
  if (match === null) throw failure(`unsupported container resource : ${reference.resource}`);
  const set = positive(container.resources?.[list as "limits" | "requests"]?.[name]);
  const amount = set ?? (list === "limits" ? limitFromAbove(name, pod, allocatable) : undefined);
  return divideRoundingUp(name, amount, positive(reference.divisor)).toString();
}

/** The pod's own limit where it has one, else all that the node can give. */
function limitFromAbove(name: string, pod: StoredPod, allocatable: Allocatable): Quantity | undefined {
  return positive(pod.spec.resources?.limits?.[name]) ?? positive(allocatable[name]);
}

function divideRoundingUp(name: string, amount: Quantity | undefined, divisor: Quantity | undefined): bigint {
  if (amount === undefined) return 0n;
  const amountOf = name === "cpu" ? quantityMilliValue : quantityValue;
  const by = divisor === undefined ? (name === "cpu" ? 1000n : 1n) : amountOf(divisor);
  return (amountOf(amount) + by - 1n) / by;
}

function containerOf(pod: StoredPod, name: string): Container | undefined {
  return initAndAppContainers(pod.spec).find((container) => container.name === name);
}

/** Zero means "not set" for amounts and divisors alike. */
function positive(value: string | number | undefined): Quantity | undefined {
  const quantity = value === undefined ? undefined : parseQuantity(value);
  return quantity !== undefined && quantity.nano > 0n ? quantity : undefined;
}

function failure(message: string): PeapodError {
  return new PeapodError("CreateContainerConfigError", message);
}
