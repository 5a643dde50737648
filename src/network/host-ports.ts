import { PeapodError } from "../base/errors.ts";
import { parseAddress } from "./ipv4.ts";
import type { HostPort } from "./types.ts";

/** A pod's host ports, with the words that name it to a person. */
export interface PublishedPorts {
  readonly namespace: string;
  readonly name: string;
  readonly hostPorts: readonly HostPort[];
}

/** Whether the port is published on every address of the host. */
export function isOnAllAddresses(port: HostPort): boolean {
  return port.hostIP === "" || port.hostIP === "0.0.0.0";
}

/**
 * Throws FailedCreatePodSandBox when one of `wanted` is taken by another pod, or names an address that is not
 * IPv4. Two ports collide when protocol and number are equal and so is the address, or either is on all addresses.
 */
export function checkHostPorts(wanted: readonly HostPort[], published: readonly PublishedPorts[]): void {
  for (const port of wanted) {
    if (!isOnAllAddresses(port) && parseAddress(port.hostIP) === undefined) {
      throw new PeapodError(
        "FailedCreatePodSandBox",
        `host port ${describe(port)}: hostIP must be an IPv4 address`,
      );
    }
    const owner = published.find((pod) => pod.hostPorts.some((other) => collide(port, other)));
    if (owner !== undefined) {
      throw new PeapodError(
        "FailedCreatePodSandBox",
        `host port ${describe(port)} is already used by pod ${owner.namespace}/${owner.name}`,
      );
    }
  }
}

function collide(one: HostPort, other: HostPort): boolean {
  if (one.hostPort !== other.hostPort || one.protocol !== other.protocol) return false;
  return isOnAllAddresses(one) || isOnAllAddresses(other) || one.hostIP === other.hostIP;
}

function describe(port: HostPort): string {
  const address = port.hostIP === "" ? "" : `${port.hostIP}:`;
  return `${address}${port.hostPort}/${port.protocol}`;
}
