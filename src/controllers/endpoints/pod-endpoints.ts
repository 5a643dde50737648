import { isPodReady } from "../../kube/pod-phase.ts";
import type { EndpointSlice, Service, StoredPod } from "../../kube/types.ts";

export type Endpoint = NonNullable<EndpointSlice["endpoints"]>[number];
export type EndpointPort = NonNullable<EndpointSlice["ports"]>[number];
type ServicePort = NonNullable<NonNullable<Service["spec"]>["ports"]>[number];

/** Pods that have the same ports for a Service, which a named targetPort may differ in. */
export interface PortGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/**
 * The pods behind a Service as an EndpointSlice tells of them
 * (https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/): those with an IPv4 address that have not
 * ended, ready ones as ready, ending ones as terminating. In a fixed order.
 */
export function portGroups(service: Service, pods: readonly StoredPod[]): readonly PortGroup[] {
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods.toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1))) {
    const { phase, podIP = "" } = pod.status ?? {};
    if (phase === "Succeeded" || phase === "Failed" || !/^\d+(\.\d+){3}$/.test(podIP)) continue;
    const ports = (service.spec?.ports ?? []).flatMap((port) => endpointPort(port, pod));
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(service, pod, podIP));
  }
  return [...groups].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, group]) => group);
}

function endpointOf(service: Service, pod: StoredPod, podIP: string): Endpoint {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata;
  const { hostname, subdomain, nodeName } = pod.spec;
  const terminating = deletionTimestamp !== undefined;
  const serving = isPodReady(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hasName = hostname !== undefined && hostname !== "" && subdomain === service.metadata?.name;
  return {
    addresses: [podIP],
    conditions: { ready, serving, terminating },
    ...(hasName ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: { kind: "Pod", namespace, name, uid },
  };
}

/** None where the pod has no port of that name. */
function endpointPort(
  { name = "", port, targetPort, protocol = "TCP", appProtocol }: ServicePort,
  pod: StoredPod,
): readonly EndpointPort[] {
  const wanted = targetPort ?? port;
  const number = typeof wanted === "number" ? wanted : portNamed(wanted, protocol, pod);
  if (number === undefined) return [];
  return [{ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
}

function portNamed(wanted: string, protocol: string, { spec }: StoredPod): number | undefined {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...spec.containers, ...sidecars]
    .flatMap(({ ports }) => ports ?? [])
    .find(({ name, protocol: own }) => name === wanted && (own ?? "TCP") === protocol)?.containerPort;
}
