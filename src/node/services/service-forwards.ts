import {
  type Endpoint,
  isReadyEndpoint,
  type ServicePort,
  serviceNameLabel,
  targetPortOf,
} from "../../kube/endpoint-slices.ts";
import type { EndpointSlice, Service } from "../../kube/types.ts";
import type { Backend, ServiceForward } from "../../network/services/types.ts";

/**
 * Where the ports of Services lead, as kube-proxy has it
 * (https://kubernetes.io/docs/reference/networking/virtual-ips/): ready endpoints, or where there are none those that
 * end but still serve. `apiServer` stands behind the Service `default/kubernetes`, whatever its slices say: they may
 * not name a loopback address, which is where this node's API listens.
 */
export function serviceForwards(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  apiServer: Backend | undefined,
): readonly ServiceForward[] {
  return services.flatMap((service) => {
    const { metadata, spec } = service;
    const clusterIPs = clusterIPsOf(service);
    if (spec === undefined || clusterIPs.length === 0) return [];
    const { name = "", namespace = "" } = metadata ?? {};
    const own = slicesOf(service, slices);
    return (spec.ports ?? []).map((port) => ({
      namespace,
      name,
      protocol: (port.protocol ?? "TCP") as ServiceForward["protocol"],
      port: port.port,
      clusterIPs,
      externalIPs: (spec.externalIPs ?? []).filter(isIPv4),
      nodePort: spec.type === "NodePort" || spec.type === "LoadBalancer" ? port.nodePort : undefined,
      backends:
        namespace === "default" && name === "kubernetes"
          ? [apiServer].filter((backend) => backend !== undefined)
          : backendsOf(port, own),
      sticky: spec.sessionAffinity === "ClientIP",
    }));
  });
}

/** A Service's own addresses; none for a headless one or one that stands for an outside name. */
export function clusterIPsOf({ spec }: Service): readonly string[] {
  if (spec?.type === "ExternalName") return [];
  return [...new Set([spec?.clusterIP ?? "", ...(spec?.clusterIPs ?? [])])].filter(isIPv4);
}

/** The slices that say what stands behind a Service. */
export function slicesOf(service: Service, slices: readonly EndpointSlice[]): readonly EndpointSlice[] {
  const { name, namespace } = service.metadata ?? {};
  return slices.filter(
    ({ metadata, addressType }) =>
      addressType === "IPv4" &&
      metadata?.namespace === namespace &&
      metadata?.labels?.[serviceNameLabel] === name,
  );
}

function backendsOf(port: ServicePort, slices: readonly EndpointSlice[]): readonly Backend[] {
  const ready = backendsWhere(isReadyEndpoint, port, slices);
  if (ready.length > 0) return ready;
  const isLast = ({ conditions }: Endpoint) =>
    conditions?.terminating === true && conditions.serving !== false;
  return backendsWhere(isLast, port, slices);
}

function backendsWhere(
  serves: (endpoint: Endpoint) => boolean,
  port: ServicePort,
  slices: readonly EndpointSlice[],
): readonly Backend[] {
  const found = new Map<string, Backend>();
  for (const slice of slices) {
    const target = targetPortOf(slice, port);
    if (target === undefined) continue;
    for (const { addresses } of (slice.endpoints ?? []).filter(serves)) {
      const [ip = ""] = addresses;
      if (isIPv4(ip)) found.set(`${ip}:${target}`, { ip, port: target });
    }
  }
  // Always in the same order, so that a client with affinity keeps its backend.
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, backend]) => backend);
}

function isIPv4(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(text);
}
