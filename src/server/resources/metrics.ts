import { kubernetesTime } from "../../base/clock.ts";
import type { KubernetesObject, StoredPod } from "../../kube/types.ts";
import type { ApiRequest } from "../request.ts";
import type { ForeignList, Resource } from "../resource.ts";
import { nameColumn } from "../table/columns.ts";
import type { Measurement, Usage } from "../usage.ts";

/**
 * What `kubectl top` reads (https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/): usage of
 * running containers by their cgroups' counters, measured when it is asked for.
 */
const podMetrics: Resource = {
  group: "metrics.k8s.io",
  version: "v1beta1",
  kind: "PodMetrics",
  plural: "pods",
  singular: "",
  shortNames: [],
  namespaced: true,
  verbs: ["get", "list"],
  subresources: {},
  listElsewhere: async ({ context, namespace, scope }) => {
    const measured = await context.usage.measure(scope);
    const { items } = context.store.list("pods", namespace === "" ? {} : { namespace });
    return { items: items.flatMap((pod) => usageOfPod(pod as unknown as StoredPod, measured)) };
  },
  selectableFields: {},
  columns: [nameColumn],
};

const nodeMetrics: Resource = {
  ...podMetrics,
  kind: "NodeMetrics",
  plural: "nodes",
  namespaced: false,
  listElsewhere: usageOfNodes,
};

export const metricsResources: readonly Resource[] = [podMetrics, nodeMetrics];

function usageOfPod(pod: StoredPod, measured: Measurement): KubernetesObject[] {
  const { name, namespace, uid, labels, creationTimestamp } = pod.metadata;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((container) => {
    const usage = measured.usage.get(`${uid}/${container.name}`);
    return usage === undefined ? [] : [{ name: container.name, usage: quantities(usage) }];
  });
  if (containers.length === 0) return [];
  const metadata = { name, namespace, ...(labels === undefined ? {} : { labels }), creationTimestamp };
  return [metricsObject("PodMetrics", metadata, measured, { containers })];
}

async function usageOfNodes({ context, scope }: ApiRequest): Promise<ForeignList> {
  const measured = await context.usage.measure(scope);
  const usage = measured.usage.get("");
  const items = context.store.list("nodes").items.flatMap(({ metadata }) => {
    const { name, labels, creationTimestamp } = metadata;
    const own = { name, ...(labels === undefined ? {} : { labels }), creationTimestamp };
    return usage === undefined
      ? []
      : [metricsObject("NodeMetrics", own, measured, { usage: quantities(usage) })];
  });
  return { items };
}

function metricsObject(
  kind: string,
  metadata: object,
  { at, windowMilliseconds }: Measurement,
  more: object,
): KubernetesObject {
  return {
    kind,
    apiVersion: "metrics.k8s.io/v1beta1",
    metadata: metadata as KubernetesObject["metadata"],
    timestamp: kubernetesTime(at),
    window: `${(windowMilliseconds / 1_000).toFixed(3)}s`,
    ...more,
  };
}

function quantities({ cpuNanocores, memoryBytes }: Usage): object {
  return { cpu: `${cpuNanocores}n`, memory: `${Math.ceil(memoryBytes / 1_024)}Ki` };
}
