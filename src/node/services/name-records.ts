import { isReadyEndpoint } from "../../kube/endpoint-slices.ts";
import type { EndpointSlice, Service } from "../../kube/types.ts";
import type { NameRecords } from "../../network/services/types.ts";
import { clusterIPsOf, slicesOf } from "./service-forwards.ts";

/**
 * The names of Services and of the pods behind headless ones, below `domain`, as Kubernetes' DNS specification has them
 * (https://github.com/kubernetes/dns/blob/master/docs/specification.md).
 */
export function nameRecords(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  domain: string,
): NameRecords {
  const all = services.map((service) => {
    const name = `${service.metadata?.name}.${service.metadata?.namespace}.svc.${domain}`;
    const { type, clusterIP, externalName } = service.spec ?? {};
    if (type === "ExternalName") return aliasRecords(name, externalName ?? "");
    if (clusterIP === "None") return headlessRecords(name, slicesOf(service, slices));
    return addressRecords(name, service);
  });
  return {
    addresses: all.flatMap(({ addresses }) => addresses),
    aliases: all.flatMap(({ aliases }) => aliases),
    ports: all.flatMap(({ ports }) => ports),
  };
}

function aliasRecords(name: string, externalName: string): NameRecords {
  const target = externalName.replace(/\.$/, "");
  return { addresses: [], aliases: target === "" ? [] : [{ name, target }], ports: [] };
}

function addressRecords(name: string, service: Service): NameRecords {
  return {
    addresses: clusterIPsOf(service).map((ip) => ({ name, ip })),
    aliases: [],
    ports: (service.spec?.ports ?? []).flatMap(({ name: port, protocol, port: number }) =>
      portRecord(name, port, protocol, name, number),
    ),
  };
}

/** The Service's name has the address of every pod; each pod has a name of its own, which its address leads back to. */
function headlessRecords(name: string, slices: readonly EndpointSlice[]): NameRecords {
  const pods = new Map<string, { readonly name: string; readonly ip: string }>();
  const ports = new Map<string, NameRecords["ports"][number]>();
  for (const { endpoints, ports: slicePorts } of slices) {
    for (const endpoint of (endpoints ?? []).filter(isReadyEndpoint)) {
      const [ip = ""] = endpoint.addresses;
      const own = `${endpoint.hostname ?? ip.replaceAll(".", "-")}.${name}`;
      pods.set(`${own} ${ip}`, { name: own, ip });
      for (const { name: port, protocol, port: number } of slicePorts ?? []) {
        for (const record of portRecord(name, port, protocol, own, number)) {
          ports.set(`${record.name} ${own} ${record.port}`, record);
        }
      }
    }
  }
  const ips = new Set([...pods.values()].map(({ ip }) => ip));
  return {
    addresses: [...pods.values(), ...[...ips].map((ip) => ({ name, ip }))],
    aliases: [],
    ports: [...ports.values()],
  };
}

function portRecord(
  service: string,
  port: string | undefined,
  protocol: string | undefined,
  target: string,
  number: number | undefined,
): NameRecords["ports"] {
  if (port === undefined || port === "" || number === undefined) return [];
  return [{ name: `_${port}._${(protocol ?? "TCP").toLowerCase()}.${service}`, target, port: number }];
}
