import type { PodCgroupAmounts } from "../../kube/cgroup-amounts.ts";
import type { ContainerResources } from "../../kube/pod-allocation.ts";
import type { ContainerRecord } from "../../runtime/types.ts";

/** Why the node does not grant what a pod asks for: never, or not now. */
export interface ResizePending {
  readonly reason: "Infeasible" | "Deferred";
  readonly message: string;
}

/** What is known of a resize and shown in the pod's status. */
export interface ResizeState {
  /** Set while the pod asks for something that is not granted. */
  readonly pending: ResizePending | undefined;
  /** Set while what was granted is not carried out yet. */
  readonly inProgress: { readonly error?: string } | undefined;
}

/** One change of a cgroup on the way to what was granted. */
export type ResizeStep =
  | { readonly kind: "pod"; readonly amounts: Partial<PodCgroupAmounts> }
  | { readonly kind: "container"; readonly record: ContainerRecord; readonly resources: ContainerResources };

/** How a granted resize is carried out. Data only; `apply-resize.ts` does it. */
export interface ResizePlan {
  /** In this order. */
  readonly steps: readonly ResizeStep[];
  /** Ids of running containers that get the new amounts by being restarted. */
  readonly restart: ReadonlySet<string>;
  /** Why nothing can be done now, in the kubelet's words. */
  readonly problem: string | undefined;
}
