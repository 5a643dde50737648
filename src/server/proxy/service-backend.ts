import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { IService } from "kubernetes-models/v1/Service";
import { PeapodError } from "../../base/errors.ts";
import { isReadyEndpoint, serviceNameLabel, targetPortOf } from "../../kube/endpoint-slices.ts";
import type { ApiContext } from "../request.ts";
import { type Backend, parseProxyName } from "./backend.ts";

/**
 * Where `/services/NAME/proxy` leads: one of the Service's ready endpoints, each as likely, at the target of the port
 * that is named by name or number; a Service of one port needs none. NotFound for a missing Service, BadRequest for no
 * such port, ServiceUnavailable when nothing is ready.
 */
export function serviceBackend(
  { store }: Pick<ApiContext, "store">,
  namespace: string,
  text: string,
  random: () => number = Math.random,
): Backend {
  const { scheme, name, port } = parseProxyName(text);
  const { spec } = store.get({ resource: "services", namespace, name }) as unknown as IService;
  const ports = spec?.ports ?? [];
  const wanted =
    port === "" && ports.length === 1
      ? ports[0]
      : ports.find((each) => (each.name ?? "") === port || String(each.port) === port);
  if (wanted === undefined) {
    const known = ports.map((each) => each.name ?? each.port).join(", ");
    throw new PeapodError(
      "BadRequest",
      `service ${name} has no port ${JSON.stringify(port)}: it has ${known}`,
    );
  }
  if (spec?.type === "ExternalName") {
    return { scheme, host: spec.externalName ?? "", port: wanted.port };
  }
  const ready = (
    store.list("endpointslices.discovery.k8s.io", {
      namespace,
      matches: ({ metadata }) => metadata.labels?.[serviceNameLabel] === name,
    }).items as unknown as IEndpointSlice[]
  ).flatMap((slice) => {
    const target = targetPortOf(slice, wanted);
    if (target === undefined) return [];
    return (slice.endpoints ?? [])
      .filter(isReadyEndpoint)
      .flatMap(({ addresses }) => addresses.slice(0, 1).map((host) => ({ scheme, host, port: target })));
  });
  const chosen = ready[Math.floor(random() * ready.length)];
  if (chosen === undefined) {
    throw new PeapodError("ServiceUnavailable", `no endpoints available for service ${JSON.stringify(text)}`);
  }
  return chosen;
}
