import { isDeepStrictEqual } from "node:util";
import { serviceNameLabel } from "../../kube/endpoint-slices.ts";
import type { EndpointSlice, KubernetesObject, ObjectMetadata } from "../../kube/types.ts";
import { controllerReference } from "../ownership.ts";
import type { Action } from "../types.ts";
import type { PortGroup } from "./pod-endpoints.ts";

export type StoredSlice = EndpointSlice & { metadata: ObjectMetadata };

const managedByLabel = "endpointslice.kubernetes.io/managed-by";
const resource = "endpointslices.discovery.k8s.io";

/**
 * Makes the slices that `manager` keeps for a Service say what the groups say, one slice per group. A slice keeps its
 * name as long as there is a group that it can be for.
 */
export function planSlices(
  service: KubernetesObject,
  manager: string,
  groups: readonly PortGroup[],
  slices: readonly StoredSlice[],
): readonly Action[] {
  const own = slices.filter(({ metadata }) => metadata.labels?.[managedByLabel] === manager);
  const left = new Set(own.toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1)));
  const labels = {
    ...service.metadata.labels,
    ...((service.spec as { clusterIP?: string } | undefined)?.clusterIP === "None"
      ? { "service.kubernetes.io/headless": "" }
      : {}),
    [managedByLabel]: manager,
    [serviceNameLabel]: service.metadata.name,
  };
  const take = (fits: (slice: StoredSlice) => boolean) => {
    const found = [...left].find(fits);
    if (found !== undefined) left.delete(found);
    return found;
  };
  // First those that have the ports already, so that no other group takes their slice.
  const kept = groups.map((group) => take(({ ports }) => isDeepStrictEqual(ports ?? [], group.ports)));
  const actions = groups.flatMap((group, index): readonly Action[] => {
    const slice = kept[index] ?? take(() => true);
    if (slice === undefined) return [creation(service, labels, group)];
    const isSame =
      isDeepStrictEqual(slice.ports ?? [], group.ports) &&
      isDeepStrictEqual(slice.endpoints ?? [], group.endpoints) &&
      isDeepStrictEqual(slice.metadata.labels, labels);
    if (isSame) return [];
    const gone = Object.keys(slice.metadata.labels ?? {}).filter((name) => !(name in labels));
    const removals = Object.fromEntries(gone.map((name) => [name, null]));
    const metadata = { labels: { ...removals, ...labels } };
    const { name, uid } = slice.metadata;
    return [{ do: "patch", resource, name, uid, patch: { metadata, ...group } }];
  });
  const deletions = [...left].map(
    ({ metadata: { name, uid } }): Action => ({ do: "delete", resource, name, uid }),
  );
  return [...actions, ...deletions];
}

function creation(service: KubernetesObject, labels: object, group: PortGroup): Action {
  return {
    do: "create",
    resource,
    object: {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        generateName: `${service.metadata.name}-`,
        labels,
        ownerReferences: [controllerReference(service)],
      },
      addressType: "IPv4",
      endpoints: group.endpoints,
      ports: group.ports,
    },
  };
}
