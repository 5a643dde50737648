import { isNotFound } from "../base/errors.ts";
import type { AddressRange } from "../kube/address-range.ts";
import { serviceNameLabel } from "../kube/endpoint-slices.ts";
import type { KubernetesObject, Service } from "../kube/types.ts";
import type { NewObject, ObjectKey, Store } from "../store/types.ts";
import { freeAddress } from "./resources/cluster-addresses.ts";

const namespace = "default";
const name = "kubernetes";
const portName = "https";
const port = 443;

/**
 * Makes the Service by which pods reach the API, `default/kubernetes`, with the first address of the range where that
 * is free. Returns its address, which it keeps.
 */
export function ensureKubernetesService(store: Store, range: AddressRange): string {
  const services = store.list("services").items as unknown as readonly Service[];
  const own = services.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name);
  if (own?.spec?.clusterIP) return own.spec.clusterIP;
  const taken = new Set(services.map(({ spec }) => spec?.clusterIP));
  const firstAddress = freeAddress({ first: range.first, last: range.first }, new Set());
  const address = taken.has(firstAddress) ? freeAddress(range, taken) : firstAddress;
  put(store, "services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      type: "ClusterIP",
      clusterIP: address,
      clusterIPs: [address],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      internalTrafficPolicy: "Cluster",
      sessionAffinity: "None",
      ports: [{ name: portName, port, protocol: "TCP", targetPort: port }],
    },
    status: { loadBalancer: {} },
  });
  return address;
}

/** Says where the API really is: this node's address and the port on which it listens, where it does over TCP. */
export function publishKubernetesEndpoints(
  store: Store,
  ip: string | undefined,
  listeningPort: number | undefined,
): void {
  const isReachable = ip !== undefined && listeningPort !== undefined;
  const ports = isReachable ? [{ name: portName, port: listeningPort, protocol: "TCP" }] : [];
  const metadata = (labels: object) => ({ name, namespace, labels });
  put(store, "endpoints", {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: metadata({ "endpointslice.kubernetes.io/skip-mirror": "true" }),
    subsets: isReachable ? [{ addresses: [{ ip }], ports }] : [],
  });
  put(store, "endpointslices.discovery.k8s.io", {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: metadata({ [serviceNameLabel]: name }),
    addressType: "IPv4",
    endpoints: isReachable ? [{ addresses: [ip], conditions: { ready: true } }] : [],
    ports,
  });
}

function put(store: Store, resource: string, object: NewObject): void {
  const key: ObjectKey = { resource, namespace, name };
  try {
    store.update(key, (current) => ({
      ...(object as unknown as KubernetesObject),
      metadata: { ...current.metadata, labels: object.metadata.labels as Record<string, string> },
    }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    store.create(resource, object);
  }
}
