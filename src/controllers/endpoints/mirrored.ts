import type { Endpoints } from "../../kube/types.ts";
import type { PortGroup } from "./pod-endpoints.ts";

/** What somebody wrote into the Endpoints of a Service without selector, as EndpointSlices have it. */
export function mirroredGroups(endpoints: Endpoints | undefined): readonly PortGroup[] {
  const { labels } = endpoints?.metadata ?? {};
  if (labels?.["endpointslice.kubernetes.io/skip-mirror"] === "true") return [];
  return (endpoints?.subsets ?? []).map(({ addresses, notReadyAddresses, ports }) => ({
    ports: (ports ?? []).map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    })),
    endpoints: [
      ...(addresses ?? []).map((address) => ({ address, ready: true })),
      ...(notReadyAddresses ?? []).map((address) => ({ address, ready: false })),
    ].map(({ address: { ip, hostname, nodeName, targetRef }, ready }) => ({
      addresses: [ip],
      conditions: { ready },
      ...(hostname === undefined ? {} : { hostname }),
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(targetRef === undefined ? {} : { targetRef }),
    })),
  }));
}
