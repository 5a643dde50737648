import { podQOSClass, type QOSClass } from "../../kube/pod-qos.ts";
import type { StoredPod } from "../../kube/types.ts";

const qualities: readonly QOSClass[] = ["Guaranteed", "Burstable", "BestEffort"];

/**
 * Pods in the order in which their resizes are granted when room comes free: by priority, by quality of service class,
 * and the older pod first
 * (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#how-kubelet-retries-deferred-resizes).
 */
export function inResizeOrder<T extends { readonly pod: StoredPod }>(states: readonly T[]): T[] {
  return states.toSorted(
    (a, b) =>
      (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) ||
      qualities.indexOf(podQOSClass(a.pod)) - qualities.indexOf(podQOSClass(b.pod)) ||
      a.pod.metadata.creationTimestamp.localeCompare(b.pod.metadata.creationTimestamp),
  );
}
