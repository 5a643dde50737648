import {
  allocatedPod,
  allocationFor,
  isSameAllocation,
  type PodAllocation,
} from "../../kube/pod-allocation.ts";
import { type Amounts, amountsOf, podAmounts } from "../../kube/pod-resources.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { Allocatable } from "../configuration/sources.ts";
import type { ResizePending } from "./resize-types.ts";

/** What becomes of a pod's wish for other resources. */
export type ResizeDecision =
  | { readonly kind: "unchanged" }
  | { readonly kind: "allocate"; readonly allocation: PodAllocation }
  | { readonly kind: "pending"; readonly pending: ResizePending };

const resources = ["cpu", "memory"] as const;

/**
 * Decides whether the node grants what `pod` asks for, `allocated` being what it has: never, when it
 * is more than the node has; not now, when it is more than others leave (`requestedByOthers`). Nothing was asked of
 * capacity when the pod came, so what does not grow is always granted
 * (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#pod-resize-status). Pure.
 */
export function decideResize(
  pod: StoredPod,
  allocated: PodAllocation,
  allocatable: Allocatable,
  requestedByOthers: () => Amounts,
): ResizeDecision {
  const allocation = allocationFor(pod);
  // What has been overtaken is no wish any more: news of a pod may come late.
  if (allocation.generation < allocated.generation) return { kind: "unchanged" };
  if (isSameAllocation(allocation, allocated)) return { kind: "unchanged" };
  const wanted = podAmounts(pod.spec, "requests");
  const held = podAmounts(allocatedPod(pod, allocated).spec, "requests");
  const growing = resources.filter((name) => (wanted.get(name) ?? 0n) > (held.get(name) ?? 0n));
  const capacities = amountsOf(allocatable);
  for (const name of growing) {
    const [requested, capacity] = [wanted.get(name) ?? 0n, capacities.get(name)];
    if (capacity === undefined || requested <= capacity) continue;
    return pending("Infeasible", `capacity: ${name}, requested: ${requested}, capacity: ${capacity}`);
  }
  const others = growing.length === 0 ? undefined : requestedByOthers();
  for (const name of growing) {
    const [requested, capacity] = [wanted.get(name) ?? 0n, capacities.get(name)];
    const used = others?.get(name) ?? 0n;
    if (capacity === undefined || requested + used <= capacity) continue;
    return pending(
      "Deferred",
      `resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
    );
  }
  return { kind: "allocate", allocation };
}

function pending(reason: ResizePending["reason"], lack: string): ResizeDecision {
  return { kind: "pending", pending: { reason, message: `Node didn't have enough ${lack}` } };
}
