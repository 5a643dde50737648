import { randomInt } from "node:crypto";
import { isIPv4 } from "node:net";
import type { IService } from "kubernetes-models/v1/Service";
import { PeapodError } from "../../base/errors.ts";
import type { AddressRange } from "../../kube/address-range.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { invalidObject } from "../admission.ts";
import type { ApiContext } from "../request.ts";

/** The API server's customary range, 10.96.0.0/12, where the node has none of its own. */
const customaryRange: AddressRange = { first: 0x0a600001, last: 0x0a6fffff - 1 };
const nodePorts = { first: 30_000, last: 32_767 };

/** Gives a Service its address and, where its type has them, its ports of the node; refuses those that are taken. */
export function allocateAddresses(object: KubernetesObject, context: ApiContext): void {
  if (object.spec === undefined) return;
  object.status = { loadBalancer: {} };
  allocate(object, context);
}

/**
 * What an update leaves out stays as it is: a Service keeps its address and its ports of the node as long as its type
 * has them. What a new type has and the old one has not is allocated, what it has not is dropped.
 */
export function updateAddresses(
  nextObject: KubernetesObject,
  currentObject: KubernetesObject,
  context: ApiContext,
): void {
  const next = (nextObject as unknown as IService).spec;
  const current = (currentObject as unknown as IService).spec;
  if (next === undefined || current === undefined) return;
  if (next.type === "ExternalName") {
    for (const field of addressFields) delete next[field];
    for (const port of next.ports ?? []) delete port.nodePort;
    return;
  }
  if (!next.clusterIP && current.clusterIP) next.clusterIP = current.clusterIP;
  if (next.clusterIP !== current.clusterIP && current.clusterIP && current.type !== "ExternalName") {
    throw invalidObject({ kind: "Service", group: "" }, currentObject.metadata.name, [
      {
        field: "spec.clusterIPs[0]",
        reason: "FieldValueInvalid",
        message: `Invalid value: ${JSON.stringify([next.clusterIP])}: may not change once set`,
      },
    ]);
  }
  const kept = next as unknown as Record<string, unknown>;
  for (const field of addressFields) kept[field] ??= current[field];
  if (next.type === "ClusterIP") {
    // A port of the node that was the former type's, not one that is asked for now.
    if (current.type !== "ClusterIP") for (const port of next.ports ?? []) delete port.nodePort;
  } else {
    const before = new Map(
      (current.ports ?? []).map((port) => [portKey(port.protocol, port.port), port.nodePort]),
    );
    for (const port of next.ports ?? []) {
      const nodePort = before.get(portKey(port.protocol, port.port));
      if (nodePort !== undefined) port.nodePort ??= nodePort;
    }
  }
  allocate(nextObject, context);
}

const addressFields = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] as const;

function allocate(object: KubernetesObject, context: ApiContext): void {
  const { metadata, spec } = object as unknown as IService;
  if (spec === undefined || spec.type === "ExternalName") return;
  const others = context.store
    .list("services")
    .items.filter((other) => !isSame(other, object))
    .map((other) => (other as unknown as IService).spec);
  const problem = (field: string, message: string) =>
    invalidObject({ kind: "Service", group: "" }, metadata?.name ?? "", [
      { field, reason: "FieldValueInvalid", message },
    ]);

  const taken = new Set(others.map((other) => other?.clusterIP));
  const asked = spec.clusterIP ?? "";
  if (asked === "") {
    spec.clusterIP = freeAddress(context.serviceRange ?? customaryRange, taken);
  } else if (asked !== "None") {
    const value = `Invalid value: ${JSON.stringify(asked)}`;
    if (!isIPv4(asked)) throw problem("spec.clusterIPs[0]", `${value}: must be a valid IP address`);
    if (taken.has(asked)) {
      throw problem(
        "spec.clusterIPs",
        `Invalid value: ${JSON.stringify([asked])}: failed to allocate IP ${asked}: provided IP is already allocated`,
      );
    }
  }
  spec.clusterIPs = [spec.clusterIP ?? ""];
  spec.ipFamilies ??= ["IPv4"];
  spec.ipFamilyPolicy ??= "SingleStack";
  if (spec.type !== "NodePort" && spec.type !== "LoadBalancer") return;
  const wantsNone = spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts === false;
  const used = new Set(
    others.flatMap((other) => (other?.ports ?? []).map((port) => portKey(port.protocol, port.nodePort))),
  );
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if (port.nodePort === undefined || port.nodePort === 0) {
      if (wantsNone) continue;
      port.nodePort = freePort(port.protocol, used);
    } else if (used.has(portKey(port.protocol, port.nodePort))) {
      throw problem(
        `spec.ports[${index}].nodePort`,
        `Invalid value: ${port.nodePort}: provided port is already allocated`,
      );
    }
    used.add(portKey(port.protocol, port.nodePort));
  }
}

function portKey(protocol: string | undefined, port: number | undefined): string {
  return `${protocol ?? "TCP"}/${port}`;
}

function isSame(a: KubernetesObject, b: KubernetesObject): boolean {
  return a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace;
}

/** An address of the range that is not taken, chosen at random: one that was given up is not soon another's. */
export function freeAddress({ first, last }: AddressRange, taken: ReadonlySet<string | undefined>): string {
  const count = last - first + 1;
  const start = randomInt(count);
  for (let step = 0; step < count; step++) {
    const number = first + ((start + step) % count);
    const address = [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join(".");
    if (!taken.has(address)) return address;
  }
  throw new PeapodError("InternalError", "failed to allocate a serviceIP: range is full");
}

function freePort(protocol: string | undefined, used: ReadonlySet<string>): number {
  for (;;) {
    const port = randomInt(nodePorts.first, nodePorts.last + 1);
    if (!used.has(portKey(protocol, port))) return port;
  }
}
