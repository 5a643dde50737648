import type { Service, StoredPod } from "../../kube/types.ts";
import { clusterIPsOf } from "../services/service-forwards.ts";

/**
 * The variables by which a container is told of the Services of its namespace that have an address, unless
 * `enableServiceLinks` is false, and of `kubernetes` in any case
 * (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
 */
export function serviceVariables(pod: StoredPod, services: readonly Service[]): ReadonlyMap<string, string> {
  const linked = new Map<string, Service>();
  for (const service of services) {
    if (isApiServer(service)) linked.set("kubernetes", service);
  }
  if (pod.spec.enableServiceLinks !== false) {
    // One of the same name in the pod's own namespace goes before the cluster's.
    for (const service of services) {
      const { name = "", namespace } = service.metadata ?? {};
      if (namespace === pod.metadata.namespace) linked.set(name, service);
    }
  }
  return new Map([...linked].flatMap(([name, service]) => variablesOf(name, service)));
}

function isApiServer({ metadata }: Service): boolean {
  return metadata?.namespace === "default" && metadata.name === "kubernetes";
}

function variablesOf(name: string, service: Service): readonly (readonly [string, string])[] {
  const [ip] = clusterIPsOf(service);
  const ports = service.spec?.ports ?? [];
  const [first] = ports;
  if (ip === undefined || first === undefined) return [];
  const prefix = variableName(name);
  const url = ({ port, protocol = "TCP" }: typeof first) => `${protocol.toLowerCase()}://${ip}:${port}`;
  return [
    [`${prefix}_SERVICE_HOST`, ip],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...ports
      .filter((port) => port.name !== undefined && port.name !== "")
      .map((port) => [`${prefix}_SERVICE_PORT_${variableName(port.name ?? "")}`, String(port.port)] as const),
    [`${prefix}_PORT`, url(first)],
    ...ports.flatMap((port) => {
      const { protocol = "TCP" } = port;
      const link = `${prefix}_PORT_${port.port}_${protocol}`;
      return [
        [link, url(port)],
        [`${link}_PROTO`, protocol.toLowerCase()],
        [`${link}_PORT`, String(port.port)],
        [`${link}_ADDR`, ip],
      ] as const;
    }),
  ];
}

function variableName(text: string): string {
  return text.replaceAll("-", "_").toUpperCase();
}
