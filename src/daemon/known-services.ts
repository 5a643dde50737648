import type { KnownService } from "../diagnose/live/view.ts";
import { isReadyEndpoint } from "../kube/endpoint-slices.ts";
import type { EndpointSlice, Service, StoredPod } from "../kube/types.ts";
import { clusterIPsOf, serviceForwards, slicesOf } from "../node/services/service-forwards.ts";
import type { Store } from "../store/types.ts";

/** Services with the pods behind them, for diagnoses. Without those that stand for an outside name, and the API's own. */
export function knownServices(store: Pick<Store, "list">): readonly KnownService[] {
  const services = store.list("services").items as unknown as readonly Service[];
  const slices = store.list("endpointslices.discovery.k8s.io").items as unknown as readonly EndpointSlice[];
  const pods = store.list("pods").items as unknown as readonly StoredPod[];
  const podAt = (ip: string, port = "") =>
    `${pods.find(({ status }) => status?.podIP === ip)?.metadata.name ?? "no pod"} (${ip}${port})`;
  return services
    .filter(({ metadata, spec }) => spec?.type !== "ExternalName" && !isAPI(metadata))
    .map((service) => {
      const { metadata, spec } = service;
      const endpoints = slicesOf(service, slices).flatMap(({ endpoints: all }) =>
        (all ?? []).filter(isReadyEndpoint),
      );
      return {
        namespace: metadata?.namespace ?? "",
        name: metadata?.name ?? "",
        address: clusterIPsOf(service)[0],
        selector: Object.entries(spec?.selector ?? {})
          .map(([label, value]) => `${label}=${value}`)
          .join(","),
        ports: serviceForwards([service], slices, undefined).map(({ port, protocol, backends }) => ({
          port,
          protocol,
          pods: backends.map((backend) => podAt(backend.ip, `:${backend.port}`)),
        })),
        pods: [...new Set(endpoints.flatMap(({ addresses }) => addresses))].map((ip) => podAt(ip)),
      };
    });
}

function isAPI(metadata: Service["metadata"]): boolean {
  return metadata?.namespace === "default" && metadata.name === "kubernetes";
}
