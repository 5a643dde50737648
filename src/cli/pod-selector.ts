import type { ResourceType } from "../client/resources.ts";
import type { KubernetesObject, LabelSelector } from "../kube/types.ts";

/**
 * Which pods an object means by their labels: those of a Deployment or whatever else makes pods, those behind a Service.
 * Undefined when it selects none: a CronJob makes Jobs, and a Service may have no selector.
 */
export function podSelectorOf(
  { kind }: Pick<ResourceType, "kind">,
  { spec }: KubernetesObject,
): LabelSelector | undefined {
  const { selector } = (spec ?? {}) as { selector?: LabelSelector & Record<string, string> };
  if (kind === "CronJob" || selector === undefined) return undefined;
  const isPlain = kind === "ReplicationController" || kind === "Service";
  return isPlain ? { matchLabels: selector } : selector;
}
