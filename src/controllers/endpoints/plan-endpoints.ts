import { isDeepStrictEqual } from "node:util";
import type { Endpoints, KubernetesObject, ObjectMetadata } from "../../kube/types.ts";
import { controllerReference } from "../ownership.ts";
import type { Action } from "../types.ts";
import type { PortGroup } from "./pod-endpoints.ts";

export type StoredEndpoints = Endpoints & { metadata: ObjectMetadata };

const resource = "endpoints";

/** Makes the Service's Endpoints, the older form of the same, say what the groups say. */
export function planEndpoints(
  service: KubernetesObject,
  groups: readonly PortGroup[],
  current: StoredEndpoints | undefined,
): readonly Action[] {
  const { name } = service.metadata;
  const labels = {
    ...service.metadata.labels,
    "endpoints.kubernetes.io/managed-by": "endpoint-controller",
    ...((service.spec as { clusterIP?: string } | undefined)?.clusterIP === "None"
      ? { "service.kubernetes.io/headless": "" }
      : {}),
  };
  const subsets = groups.map(subsetOf).filter((subset) => subset !== undefined);
  if (current === undefined) {
    const metadata = { name, labels, ownerReferences: [controllerReference(service)] };
    const object = { apiVersion: "v1", kind: "Endpoints", metadata, subsets };
    return [{ do: "create", resource, object }];
  }
  const isSame =
    isDeepStrictEqual(current.subsets ?? [], subsets) && isDeepStrictEqual(current.metadata.labels, labels);
  if (isSame) return [];
  const gone = Object.keys(current.metadata.labels ?? {}).filter((label) => !(label in labels));
  const removals = Object.fromEntries(gone.map((label) => [label, null]));
  const patch = { metadata: { labels: { ...removals, ...labels } }, subsets };
  return [{ do: "patch", resource, name, uid: current.metadata.uid, patch }];
}

/** Pods that end are left out, unless the Service wants those that are not ready. */
function subsetOf({ ports, endpoints }: PortGroup): object | undefined {
  const address = ({ addresses, hostname, nodeName, targetRef }: PortGroup["endpoints"][number]) => ({
    ip: addresses[0],
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  });
  const isReady = ({ conditions }: PortGroup["endpoints"][number]) => conditions?.ready === true;
  const ready = endpoints.filter(isReady).map(address);
  const notReady = endpoints
    .filter((endpoint) => !isReady(endpoint) && endpoint.conditions?.terminating !== true)
    .map(address);
  if (ready.length + notReady.length === 0) return undefined;
  return {
    ...(ready.length === 0 ? {} : { addresses: ready }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
    ...(ports.length === 0
      ? {}
      : { ports: ports.map(({ name, ...rest }) => (name === "" ? rest : { name, ...rest })) }),
  };
}
