import type { KnownService } from "./view.ts";

/** What can be said about a name or address that is not the pod's own. */
export interface ServiceAnswer {
  readonly reachable: "Yes" | "No";
  readonly because: readonly string[];
  readonly evidence: readonly { readonly source: string; readonly detail: string }[];
  readonly fix?: string;
}

/**
 * Whether a pod of `namespace` reaches a port of a Service by its name (as the search list completes it) or by its
 * address. Undefined where `host` is no Service.
 */
export function reachService(
  services: readonly KnownService[],
  namespace: string,
  host: string,
  port: number,
): ServiceAnswer | undefined {
  const service = services.find((each) => isCalled(each, namespace, host));
  if (service === undefined) return undefined;
  const called = `Service ${service.namespace}/${service.name}`;
  const found = service.ports.find((each) => each.port === port);
  const ports = service.ports.map((each) => `${each.port}/${each.protocol}`).join(", ");
  // A headless Service is a name for its pods; what port they have is their own affair.
  const pods = service.address === undefined ? service.pods : (found?.pods ?? []);
  const evidence = [
    { source: called, detail: `address ${service.address ?? "none (headless)"}, ports ${ports || "none"}` },
    {
      source: `EndpointSlices of ${called}`,
      detail: pods.length === 0 ? "no ready endpoint" : `ready: ${pods.join(", ")}`,
    },
  ];
  if (service.address !== undefined && found === undefined) {
    const because = [`${called} has no port ${port}, so the connection is refused`];
    return {
      reachable: "No",
      because,
      evidence,
      fix: `Use ${ports || "another Service"}, or add the port to the Service.`,
    };
  }
  if (pods.length === 0) {
    const because = [
      `no ready pod stands behind ${called}${service.address === undefined ? "" : ", so the connection is refused"}`,
    ];
    const fix = `Compare its selector (${service.selector || "none"}) with the pods' labels, and see whether they are ready: peapod get pods -n ${service.namespace} --show-labels.`;
    return { reachable: "No", because, evidence, fix };
  }
  return {
    reachable: "Yes",
    because: [
      `through ${called}${service.address === undefined ? "" : ` at ${service.address}:${port}`}, to ${pods.join(" or ")}`,
    ],
    evidence,
  };
}

function isCalled({ name, namespace, address }: KnownService, from: string, host: string): boolean {
  if (host === address) return true;
  const long = `${name}.${namespace}`;
  const names = [long, `${long}.svc`, `${long}.svc.cluster.local`, ...(namespace === from ? [name] : [])];
  return names.includes(host.replace(/\.$/, ""));
}
