import type { EndpointSlice, Service } from "./types.ts";

/** The label by which an EndpointSlice belongs to a Service. */
export const serviceNameLabel = "kubernetes.io/service-name";

/** One of those that stand behind a Service. */
export type Endpoint = NonNullable<EndpointSlice["endpoints"]>[number];
/** A port of a Service. */
export type ServicePort = NonNullable<NonNullable<Service["spec"]>["ports"]>[number];

/** An endpoint that says nothing counts as ready. */
export function isReadyEndpoint({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false;
}

/** The port to which a Service's port leads in a slice: the one of its name and protocol. */
export function targetPortOf({ ports }: EndpointSlice, port: ServicePort): number | undefined {
  return (ports ?? []).find(
    ({ name, protocol }) =>
      (name ?? "") === (port.name ?? "") && (protocol ?? "TCP") === (port.protocol ?? "TCP"),
  )?.port;
}
