import { serviceNameLabel } from "../../kube/endpoint-slices.ts";
import { matchesSelector } from "../../kube/match-selector.ts";
import type { KubernetesObject, Service, StoredPod } from "../../kube/types.ts";
import type { Controller, ObjectReader, Plan } from "../types.ts";
import { mirroredGroups } from "./mirrored.ts";
import { planEndpoints, type StoredEndpoints } from "./plan-endpoints.ts";
import { planSlices, type StoredSlice } from "./plan-slices.ts";
import { type PortGroup, portGroups } from "./pod-endpoints.ts";

const resource = "services";
const sliceManager = "endpointslice-controller.k8s.io";
const mirrorManager = "endpointslicemirroring-controller.k8s.io";

/** A Service without pods has one empty slice, as on a cluster. */
const nobody: PortGroup = { ports: [], endpoints: [] };

/**
 * Keeps EndpointSlices and Endpoints of Services: of those with a selector from the pods that it selects, of those
 * without from the Endpoints that somebody wrote. Slices that somebody wrote are left alone.
 */
export const endpointsController: Controller = {
  name: "endpointslice-controller",
  resource,
  follows: {
    pods: servicesSelecting,
    endpoints: ({ metadata }) => [metadata.name],
    "endpointslices.discovery.k8s.io": ({ metadata }) => {
      const name = metadata.labels?.[serviceNameLabel];
      return name === undefined ? [] : [name];
    },
  },
  plan: (object, objects) => planService(object, objects),
};

function planService(service: KubernetesObject, objects: ObjectReader): Plan {
  const { namespace = "", name, deletionTimestamp } = service.metadata;
  const { spec } = service as unknown as Service;
  if (deletionTimestamp !== undefined || spec?.type === "ExternalName") return { actions: [] };
  const isOwn = (slice: KubernetesObject) => slice.metadata.labels?.[serviceNameLabel] === name;
  const filter = { namespace, matches: isOwn };
  const slices = objects.list("endpointslices.discovery.k8s.io", filter).items as unknown as StoredSlice[];
  const endpoints = objects.get({ resource: "endpoints", namespace, name }) as unknown as
    | StoredEndpoints
    | undefined;
  const { selector } = spec ?? {};
  if (selector === undefined || Object.keys(selector).length === 0) {
    return { actions: planSlices(service, mirrorManager, mirroredGroups(endpoints), slices) };
  }
  const matches = (pod: KubernetesObject) => matchesSelector({ matchLabels: selector }, pod.metadata.labels);
  const pods = objects.list("pods", { namespace, matches }).items as unknown as StoredPod[];
  const groups = portGroups(service as unknown as Service, pods);
  return {
    actions: [
      ...planSlices(service, sliceManager, groups.length === 0 ? [nobody] : groups, slices),
      ...planEndpoints(service, groups, endpoints),
    ],
  };
}

function servicesSelecting({ metadata }: KubernetesObject, objects: ObjectReader): readonly string[] {
  const { namespace, labels } = metadata;
  if (namespace === undefined || labels === undefined) return [];
  const selects = (service: KubernetesObject) => {
    const { selector } = (service as unknown as Service).spec ?? {};
    return (
      selector !== undefined &&
      Object.keys(selector).length > 0 &&
      matchesSelector({ matchLabels: selector }, labels)
    );
  };
  return objects.list(resource, { namespace, matches: selects }).items.map(({ metadata: { name } }) => name);
}
