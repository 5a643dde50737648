import type { KubernetesNode, PodSpec } from "../../kube/types.ts";

/**
 * Whether a DaemonSet's pods belong on the node: its name, `nodeSelector` and required node affinity fit
 * (https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#running-pods-on-select-nodes).
 */
export function runsOn(spec: PodSpec | undefined, node: KubernetesNode): boolean {
  const labels = node.metadata?.labels ?? {};
  if (spec?.nodeName !== undefined && spec.nodeName !== node.metadata?.name) return false;
  if (Object.entries(spec?.nodeSelector ?? {}).some(([key, value]) => labels[key] !== value)) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined) return true;
  const fields = { "metadata.name": node.metadata?.name ?? "" };
  return required.nodeSelectorTerms.some(({ matchExpressions = [], matchFields = [] }) => {
    const requirements = [
      ...matchExpressions.map((requirement) => fulfils(requirement, labels)),
      ...matchFields.map((requirement) => fulfils(requirement, fields)),
    ];
    // A term without requirements selects no node.
    return requirements.length > 0 && requirements.every(Boolean);
  });
}

function fulfils(
  requirement: { readonly key: string; readonly operator: string; readonly values?: readonly string[] },
  labels: Readonly<Record<string, string>>,
): boolean {
  const { key, operator, values = [] } = requirement;
  const value = labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(values[0]);
    default:
      return operator === "Lt" && value !== undefined && Number(value) < Number(values[0]);
  }
}
