import type { IHorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import type { ILease } from "kubernetes-models/coordination.k8s.io/v1/Lease";
import type { IRuntimeClass } from "kubernetes-models/node.k8s.io/v1/RuntimeClass";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import type { IPriorityClass } from "kubernetes-models/scheduling.k8s.io/v1/PriorityClass";
import type { IResourceQuota } from "kubernetes-models/v1/ResourceQuota";
import type { Resource } from "../resource.ts";
import { ageColumn, countColumn, createdAtColumn, nameColumn, textColumn } from "../table/columns.ts";
import { stored } from "./stored.ts";

const notHonoured = (kind: string, what: string) =>
  `${kind} is stored but not honoured yet by this version of Peapod: ${what}`;

const limitRanges = stored({
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  shortNames: ["limits"],
  columns: [nameColumn, createdAtColumn],
});

const resourceQuotas = stored({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  shortNames: ["quota"],
  hasStatus: true,
  deleteReturnsObject: true,
  columns: [
    nameColumn,
    textColumn<IResourceQuota>("Request", "Used and allowed requests.", (quota) => quotaText(quota, false)),
    textColumn<IResourceQuota>("Limit", "Used and allowed limits.", (quota) => quotaText(quota, true)),
    ageColumn,
  ],
});

const runtimeClasses = stored({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  namespaced: false,
  columns: [
    nameColumn,
    textColumn<IRuntimeClass>("Handler", "Which runtime it means.", ({ handler }) => handler),
    ageColumn,
  ],
});

const leases = stored({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  columns: [
    nameColumn,
    textColumn<ILease>("Holder", "Who has it.", ({ spec }) => spec?.holderIdentity ?? ""),
    ageColumn,
  ],
});

const podDisruptionBudgets = stored({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  shortNames: ["pdb"],
  hasStatus: true,
  notice: notHonoured("PodDisruptionBudget", "evictions do not ask it"),
  columns: [
    nameColumn,
    textColumn<IPodDisruptionBudget>("Min Available", "Pods that must stay.", ({ spec }) =>
      String(spec?.minAvailable ?? "N/A"),
    ),
    textColumn<IPodDisruptionBudget>("Max Unavailable", "Pods that may go.", ({ spec }) =>
      String(spec?.maxUnavailable ?? "N/A"),
    ),
    countColumn<IPodDisruptionBudget>(
      "Allowed Disruptions",
      "Pods that may go now.",
      ({ status }) => status?.disruptionsAllowed ?? 0,
    ),
    ageColumn,
  ],
});

const horizontalPodAutoscalers = stored({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  hasStatus: true,
  notice: notHonoured("HorizontalPodAutoscaler", "nothing is scaled"),
  columns: [
    nameColumn,
    textColumn<IHorizontalPodAutoscaler>("Reference", "What it scales.", ({ spec }) =>
      spec === undefined ? "" : `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    ),
    textColumn<IHorizontalPodAutoscaler>("Targets", "Measured and wanted.", ({ spec }) =>
      (spec?.metrics ?? []).length === 0 ? "<none>" : "<unknown>",
    ),
    textColumn<IHorizontalPodAutoscaler>("MinPods", "Least pods.", ({ spec }) =>
      String(spec?.minReplicas ?? "<unset>"),
    ),
    countColumn<IHorizontalPodAutoscaler>("MaxPods", "Most pods.", ({ spec }) => spec?.maxReplicas ?? 0),
    countColumn<IHorizontalPodAutoscaler>(
      "Replicas",
      "Pods now.",
      ({ status }) => status?.currentReplicas ?? 0,
    ),
    ageColumn,
  ],
});

const priorityClasses = stored({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  namespaced: false,
  columns: [
    nameColumn,
    countColumn<IPriorityClass>("Value", "Its rank.", ({ value }) => value ?? 0),
    {
      name: "Global-Default",
      type: "boolean",
      description: "Whether pods that name none get it.",
      priority: 0,
      cell: (object) => (object as unknown as IPriorityClass).globalDefault ?? false,
    },
    ageColumn,
    textColumn<IPriorityClass>(
      "PreemptionPolicy",
      "Whether its pods displace others.",
      ({ preemptionPolicy }) => preemptionPolicy ?? "",
    ),
  ],
});

/** https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/ and what is like them. */
export const policyResources: readonly Resource[] = [
  limitRanges,
  resourceQuotas,
  runtimeClasses,
  leases,
  podDisruptionBudgets,
  horizontalPodAutoscalers,
  priorityClasses,
];

/** `cpu: 0/2, pods: 1/10`: what is used of what is allowed, of limits or of all else. */
function quotaText({ spec, status }: IResourceQuota, limits: boolean): string {
  return Object.entries(status?.hard ?? spec?.hard ?? {})
    .filter(([name]) => name.startsWith("limits.") === limits)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? 0}/${hard}`)
    .join(", ");
}
