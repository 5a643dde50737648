import type { IResourceQuota } from "kubernetes-models/v1/ResourceQuota";
import { podQOSClass } from "../../kube/pod-qos.ts";
import type { KubernetesObject, Pod } from "../../kube/types.ts";

/**
 * Whether a quota is about this object: it fits all the quota's scopes, which only pods can
 * (https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes). Pure.
 */
export function isInScope({ spec }: IResourceQuota, resource: string, object: KubernetesObject): boolean {
  const scopes = spec?.scopes ?? [];
  const expressions = spec?.scopeSelector?.matchExpressions ?? [];
  if (scopes.length === 0 && expressions.length === 0) return true;
  if (resource !== "pods") return false;
  const pod = object as unknown as Pod;
  return (
    scopes.every((scope) => hasScope(pod, scope)) &&
    expressions.every(({ scopeName, operator, values = [] }) =>
      scopeName === "PriorityClass"
        ? matches(pod.spec?.priorityClassName, operator, values)
        : hasScope(pod, scopeName),
    )
  );
}

function hasScope(pod: Pod, scope: string): boolean {
  switch (scope) {
    case "Terminating":
      return isTerminating(pod);
    case "NotTerminating":
      return !isTerminating(pod);
    case "BestEffort":
      return podQOSClass(pod) === "BestEffort";
    case "NotBestEffort":
      return podQOSClass(pod) !== "BestEffort";
    case "PriorityClass":
      return Boolean(pod.spec?.priorityClassName);
    case "CrossNamespacePodAffinity":
      return crossesNamespaces(pod);
    default:
      return false;
  }
}

/** Terminating by itself some day, that is. */
function isTerminating({ spec }: Pod): boolean {
  return spec?.activeDeadlineSeconds !== undefined;
}

function matches(value: string | undefined, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case "In":
      return values.includes(value ?? "");
    case "NotIn":
      return !values.includes(value ?? "");
    case "Exists":
      return Boolean(value);
    case "DoesNotExist":
      return !value;
    default:
      return false;
  }
}

function crossesNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm,
    ),
  ]);
  return terms.some(
    ({ namespaces, namespaceSelector }) => (namespaces ?? []).length > 0 || namespaceSelector !== undefined,
  );
}
