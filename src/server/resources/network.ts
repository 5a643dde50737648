import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { IIngress } from "kubernetes-models/networking.k8s.io/v1/Ingress";
import type { IIngressClass } from "kubernetes-models/networking.k8s.io/v1/IngressClass";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import type { IEndpoints } from "kubernetes-models/v1/Endpoints";
import type { IService } from "kubernetes-models/v1/Service";
import { proxied } from "../proxy/subresource.ts";
import type { Resource } from "../resource.ts";
import { ageColumn, labelsText, nameColumn, selectorText, textColumn } from "../table/columns.ts";
import { allocateAddresses, updateAddresses } from "./cluster-addresses.ts";
import { stored } from "./stored.ts";

const notHonoured = (kind: string, what: string) =>
  `${kind} is stored but not honoured yet by this version of Peapod: ${what}`;

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/ */
const services = stored({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  hasStatus: true,
  subresources: { proxy: proxied("ServiceProxyOptions") },
  deleteReturnsObject: true,
  prepareForCreate: allocateAddresses,
  checkUpdate: updateAddresses,
  selectableFields: {
    "spec.clusterIP": (object) => (object as unknown as IService).spec?.clusterIP ?? "",
    "spec.type": (object) => (object as unknown as IService).spec?.type ?? "",
  },
  columns: [
    nameColumn,
    textColumn<IService>("Type", "How it is reached.", ({ spec }) => spec?.type ?? ""),
    textColumn<IService>("Cluster-IP", "Its address.", ({ spec }) => spec?.clusterIP || "<none>"),
    textColumn<IService>("External-IP", "Its address for the outside.", externalAddress),
    textColumn<IService>("Port(s)", "Its ports.", servicePorts),
    ageColumn,
    textColumn<IService>("Selector", "Which pods serve it.", ({ spec }) => labelsText(spec?.selector), {
      wide: true,
    }),
  ],
});

const endpoints = stored({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  shortNames: ["ep"],
  columns: [
    nameColumn,
    textColumn<IEndpoints>("Endpoints", "Addresses with ports.", ({ subsets }) =>
      firstThree(
        (subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
          addresses.flatMap(({ ip }) =>
            ports.length === 0 ? [ip] : ports.map(({ port }) => `${ip}:${port}`),
          ),
        ),
        " + ",
      ),
    ),
    ageColumn,
  ],
});

const endpointSlices = stored({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  columns: [
    nameColumn,
    textColumn<IEndpointSlice>("AddressType", "Kind of address.", ({ addressType }) => addressType),
    textColumn<IEndpointSlice>("Ports", "Ports.", ({ ports }) =>
      (ports ?? []).length === 0
        ? "<unset>"
        : firstThree((ports ?? []).map(({ port }) => String(port ?? "*"))),
    ),
    textColumn<IEndpointSlice>("Endpoints", "Addresses.", ({ endpoints: ends }) =>
      (ends ?? []).length === 0 ? "<unset>" : firstThree((ends ?? []).flatMap(({ addresses }) => addresses)),
    ),
    ageColumn,
  ],
});

const ingresses = stored({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["ing"],
  hasStatus: true,
  notice: notHonoured("Ingress", "there is no ingress controller"),
  columns: [
    nameColumn,
    textColumn<IIngress>("Class", "Who serves it.", ({ spec }) => spec?.ingressClassName ?? "<none>"),
    textColumn<IIngress>("Hosts", "Host names.", ({ spec }) => {
      const hosts = (spec?.rules ?? []).flatMap(({ host }) => (host ? [host] : []));
      return hosts.length === 0 ? "*" : firstThree(hosts);
    }),
    textColumn<IIngress>("Address", "Where it is reached.", ({ status }) =>
      (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? "").join(","),
    ),
    textColumn<IIngress>("Ports", "Ports.", ({ spec }) => ((spec?.tls ?? []).length > 0 ? "80, 443" : "80")),
    ageColumn,
  ],
});

const ingressClasses = stored({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  namespaced: false,
  columns: [
    nameColumn,
    textColumn<IIngressClass>("Controller", "Who serves it.", ({ spec }) => spec?.controller ?? ""),
    textColumn<IIngressClass>("Parameters", "Its parameters.", ({ spec }) => {
      const parameters = spec?.parameters;
      if (parameters === undefined) return "<none>";
      const { apiGroup, kind, name } = parameters;
      return `${kind}${apiGroup === undefined ? "" : `.${apiGroup}`}/${name}`;
    }),
    ageColumn,
  ],
});

const networkPolicies = stored({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  shortNames: ["netpol"],
  notice: notHonoured("NetworkPolicy", "nothing is filtered"),
  columns: [
    nameColumn,
    textColumn<INetworkPolicy>("Pod-Selector", "Which pods it is for.", ({ spec }) =>
      selectorText(spec?.podSelector),
    ),
    ageColumn,
  ],
});

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ */
export const networkResources: readonly Resource[] = [
  services,
  endpoints,
  endpointSlices,
  ingresses,
  ingressClasses,
  networkPolicies,
];

function externalAddress({ spec, status }: IService): string {
  const external = spec?.externalIPs ?? [];
  if (spec?.type === "ExternalName") return spec.externalName ?? "";
  if (spec?.type !== "LoadBalancer") return external.length === 0 ? "<none>" : external.join(",");
  const balancer = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? "");
  return [...balancer, ...external].join(",") || "<pending>";
}

function servicePorts({ spec }: IService): string {
  const ports = (spec?.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.length === 0 ? "<none>" : ports.join(",");
}

function firstThree(items: readonly string[], plus = " + "): string {
  if (items.length === 0) return "<none>";
  const rest = items.length - 3;
  return items.slice(0, 3).join(",") + (rest > 0 ? `${plus}${rest} more...` : "");
}
