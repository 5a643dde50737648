import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import type { IEndpoints } from "kubernetes-models/v1/Endpoints";
import type { IService } from "kubernetes-models/v1/Service";
import { childPath, itemPath } from "../../kube/field-path.ts";
import { labelNameProblems, serviceNameProblems } from "../../kube/names.ts";
import { duplicate, invalid, type Problem, required } from "../problems.ts";
import { validateLabels } from "../validate/metadata.ts";
import { hasForm, portNumber, portNumberOrName } from "../validate/values.ts";
import { type KindRules, kindRules } from "./rules.ts";

const noLoadBalancer: Problem = {
  severity: "warning",
  position: undefined,
  field: "spec.type",
  reason: "Unsupported",
  message:
    "not applicable on one machine: there is no load balancer, so its external address stays pending; its node ports work",
};

/** https://kubernetes.io/docs/concepts/services-networking/service/ */
const service = kindRules<IService>({
  nameProblems: serviceNameProblems,
  setDefaults: ({ spec }) => {
    if (spec === undefined) return;
    spec.type ??= "ClusterIP";
    spec.sessionAffinity ??= "None";
    if (spec.sessionAffinity === "ClientIP") {
      spec.sessionAffinityConfig ??= {};
      spec.sessionAffinityConfig.clientIP ??= {};
      spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10_800;
    }
    for (const port of spec.ports ?? []) {
      port.protocol ??= "TCP";
      if (port.targetPort === undefined || port.targetPort === "" || port.targetPort === 0) {
        port.targetPort = port.port;
      }
    }
    if (spec.type === "ExternalName") return;
    spec.internalTrafficPolicy ??= "Cluster";
    if (spec.type === "ClusterIP") return;
    spec.externalTrafficPolicy ??= "Cluster";
    if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
  },
  validate: ({ spec }) => {
    if (spec === undefined) return [required("spec.ports")];
    const problems: Problem[] = [];
    const ports = spec.ports ?? [];
    if (spec.type === "ExternalName") {
      if (!spec.externalName) problems.push(required("spec.externalName"));
    } else if (ports.length === 0 && spec.clusterIP !== "None") {
      problems.push(required("spec.ports"));
    }
    if (spec.type === "LoadBalancer") problems.push(noLoadBalancer);
    const names = new Set<string>();
    for (const [index, port] of ports.entries()) {
      const field = itemPath("spec.ports", index);
      const name = port.name ?? "";
      if (name === "" && ports.length > 1) problems.push(required(childPath(field, "name")));
      else if (name !== "" && names.has(name)) problems.push(duplicate(childPath(field, "name"), name));
      names.add(name);
      problems.push(
        ...hasForm(childPath(field, "name"), name, labelNameProblems),
        ...(port.port === undefined
          ? [required(childPath(field, "port"))]
          : portNumber(childPath(field, "port"), port.port)),
        ...portNumberOrName(childPath(field, "targetPort"), port.targetPort as number | string | undefined),
      );
    }
    return [...problems, ...validateLabels(spec.selector, "spec.selector")];
  },
});

const endpoints = kindRules<IEndpoints>({
  setDefaults: ({ subsets }) => {
    for (const port of (subsets ?? []).flatMap(({ ports }) => ports ?? [])) port.protocol ??= "TCP";
  },
  validate: ({ subsets }) =>
    (subsets ?? []).flatMap(({ ports }, index) =>
      (ports ?? []).flatMap((port, position) =>
        portNumber(`${itemPath(`${itemPath("subsets", index)}.ports`, position)}.port`, port.port),
      ),
    ),
});

const endpointSlice = kindRules<IEndpointSlice>({
  immutable: ["addressType"],
  setDefaults: ({ ports }) => {
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate: ({ addressType, endpoints: ends }) => [
    ...(addressType === undefined ? [required("addressType")] : []),
    ...(ends ?? []).flatMap(({ addresses }, index) =>
      (addresses ?? []).length === 0 ? [required(`${itemPath("endpoints", index)}.addresses`)] : [],
    ),
  ],
});

const networkPolicy = kindRules<INetworkPolicy>({
  setDefaults: ({ spec }) => {
    if (spec === undefined) return;
    spec.policyTypes ??= (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate: ({ spec }) =>
    (spec?.policyTypes ?? []).length > 2
      ? [invalid("spec.policyTypes", spec?.policyTypes, "may not specify more than two policyTypes")]
      : [],
});

/** Rules of the kinds that are about the network, by `apiVersion/kind`. */
export const networkRules: Readonly<Record<string, KindRules>> = {
  "v1/Service": service,
  "v1/Endpoints": endpoints,
  "discovery.k8s.io/v1/EndpointSlice": endpointSlice,
  "networking.k8s.io/v1/Ingress": {},
  "networking.k8s.io/v1/IngressClass": { immutable: ["spec.controller"] },
  "networking.k8s.io/v1/NetworkPolicy": networkPolicy,
};
