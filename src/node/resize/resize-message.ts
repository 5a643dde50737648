import { type PodAllocation, resizableContainers } from "../../kube/pod-allocation.ts";
import type { PodSpec } from "../../kube/types.ts";

/** An event's message about a resize, as the kubelet writes it: what happened, and to which amounts, as JSON. */
export function resizeMessage(
  what: string,
  spec: PodSpec,
  { pod, containers, generation }: PodAllocation,
  error?: string,
): string {
  const sidecars = new Set((spec.initContainers ?? []).map(({ name }) => name));
  const amounts = resizableContainers(spec).map(({ name }) => {
    const { limits, requests } = containers[name] ?? {};
    return { name, resources: { limits, requests } };
  });
  const list = (isWanted: (name: string) => boolean) => {
    const entries = amounts.filter(({ name }) => isWanted(name));
    return entries.length === 0 ? undefined : entries;
  };
  const summary = {
    resources: pod === undefined ? undefined : { limits: pod.limits, requests: pod.requests },
    initContainers: list((name) => sidecars.has(name)),
    containers: list((name) => !sidecars.has(name)),
    generation,
    error,
  };
  return `${what}: ${JSON.stringify(summary)}`;
}
