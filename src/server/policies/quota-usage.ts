import type { IService } from "kubernetes-models/v1/Service";
import { podAmounts } from "../../kube/pod-resources.ts";
import type { KubernetesObject, PersistentVolumeClaim, Pod } from "../../kube/types.ts";
import { type QuotaAmounts, quotaAmount } from "./amounts.ts";

/** Kinds of the core group that a quota counts by their bare name, too. */
const countedByName = [
  "configmaps",
  "persistentvolumeclaims",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
];

const storageClassSuffix = ".storageclass.storage.k8s.io/";

/**
 * What an object uses of a quota, by the quota's resource names; `resource` is the store's name of its kind
 * (https://kubernetes.io/docs/concepts/policy/resource-quotas/#types-of-resource-quota). `now` in milliseconds.
 */
export function quotaUsage(resource: string, object: KubernetesObject, now: number): QuotaAmounts {
  const used = new Map<string, bigint>([[`count/${resource}`, 1n]]);
  if (countedByName.includes(resource)) used.set(resource, 1n);
  if (resource === "pods") addPod(used, object as unknown as Pod, now);
  if (resource === "services") addService(used, object as unknown as IService);
  if (resource === "persistentvolumeclaims") addClaim(used, object as unknown as PersistentVolumeClaim);
  return used;
}

/** The store's name of the kind whose objects use this resource of a quota; undefined for one that is unknown. */
export function countedResource(name: string): string | undefined {
  if (name.startsWith("count/")) return name.slice("count/".length);
  if (name.startsWith("services.")) return "services";
  if (countedByName.includes(name)) return name;
  if (name === "requests.storage" || name.includes(storageClassSuffix)) return "persistentvolumeclaims";
  if (/^(?:pods|cpu|memory|ephemeral-storage|hugepages-.+|(?:requests|limits)\..+)$/.test(name))
    return "pods";
  return undefined;
}

/** Pods that have ended, or whose time to end is over, use nothing but their place among all objects. */
function addPod(used: Map<string, bigint>, pod: Pod, now: number): void {
  const { metadata, spec, status } = pod;
  const { deletionTimestamp } = metadata ?? {};
  const isOver = deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < now;
  if (spec === undefined || isOver || ["Succeeded", "Failed"].includes(status?.phase ?? "")) return;
  used.set("pods", 1n);
  for (const [name, amount] of podAmounts(spec, "requests")) {
    used.set(`requests.${name}`, amount);
    if (/^(?:cpu|memory|ephemeral-storage|hugepages-.+)$/.test(name)) used.set(name, amount);
  }
  for (const [name, amount] of podAmounts(spec, "limits")) {
    if (/^(?:cpu|memory|ephemeral-storage)$/.test(name)) used.set(`limits.${name}`, amount);
  }
}

function addService(used: Map<string, bigint>, { spec }: IService): void {
  const ports = BigInt(spec?.ports?.length ?? 0);
  if (spec?.type === "LoadBalancer") used.set("services.loadbalancers", 1n);
  const takesNodePorts =
    spec?.type === "NodePort" ||
    (spec?.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
  if (takesNodePorts) used.set("services.nodeports", ports);
}

function addClaim(used: Map<string, bigint>, { spec }: PersistentVolumeClaim): void {
  const asked = spec?.resources?.requests?.storage;
  const storage = asked === undefined ? undefined : quotaAmount("storage", asked);
  if (storage !== undefined) used.set("requests.storage", storage);
  if (!spec?.storageClassName) return;
  const prefix = spec.storageClassName + storageClassSuffix;
  used.set(`${prefix}persistentvolumeclaims`, 1n);
  if (storage !== undefined) used.set(`${prefix}requests.storage`, storage);
}
