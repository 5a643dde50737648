import { readFileSync, writeFileSync } from "node:fs";
import type { Scope } from "../base/scope.ts";
import { deleteLink, type IPRoute, ipBatch, linkExists, readSysctl, writeSysctl } from "../host/ip.ts";
import { layCable } from "../host/veth.ts";
import { formatAddress, gatewayOf, macAddressFor, type Subnet, sizeOf } from "./ipv4.ts";

/** The switch between a node's pods and its uplink to the host. */
export interface Bridge {
  readonly name: string;
  readonly subnet: Subnet;
  /** Largest packet, in bytes, as the host's way out allows it. */
  readonly mtu: number;
}

/**
 * Makes the bridge with the subnet's first address, or leaves it as it is when it has that address. A bridge of
 * that name with another subnet is replaced.
 *
 * Its MAC address is set, because a bridge without one takes over its ports' and so changes it as pods come and
 * go. Settings of the kernel: `route_localnet` on the bridge, for host ports on 127.0.0.1; `ip_forward` of the
 * machine is turned on when it is off and stays on, as with other container engines.
 */
export async function ensureBridge(bridge: Bridge, routes: readonly IPRoute[], scope: Scope): Promise<void> {
  const gateway = gatewayOf(bridge.subnet);
  const hasAddress = routes.some(
    (route) => route.type === "local" && route.dst === gateway && route.dev === bridge.name,
  );
  if (!hasAddress) {
    await deleteLink(bridge.name, scope);
    await ipBatch(
      [
        `link add dev ${bridge.name} mtu ${bridge.mtu} address ${macAddressFor(bridge.subnet.first + 1)} type bridge stp_state 0 forward_delay 0`,
        `address add ${gateway}/${bridge.subnet.prefix} brd + dev ${bridge.name}`,
        `link set dev ${bridge.name} up`,
      ],
      undefined,
      scope,
    );
  }
  writeSysctl(`net/ipv4/conf/${bridge.name}/route_localnet`, "1");
  // A pod must not become the host's IPv6 router by announcing itself.
  if (readSysctl(`net/ipv6/conf/${bridge.name}/accept_ra`) !== undefined) {
    writeSysctl(`net/ipv6/conf/${bridge.name}/accept_ra`, "0");
  }
  turnForwardingOn(scope);
}

/** Lets this machine forward packets, which it has to from pod to pod. Idempotent. */
export function turnForwardingOn(scope: Scope): void {
  if (readSysctl("net/ipv4/ip_forward") !== "0") return;
  scope.log.info({ sysctl: "net.ipv4.ip_forward" }, "turned IP forwarding on");
  writeSysctl("net/ipv4/ip_forward", "1");
}

/**
 * Lays the cable of one pod: `link` on the bridge, `eth0` with the address in the pod; `lo` up. The pod can reach
 * itself by way of the bridge, as it does through its own host port or Service where br_netfilter is loaded.
 */
export async function connectPod(
  bridge: Bridge,
  pod: { link: string; netns: string; address: number },
  scope: Scope,
): Promise<void> {
  const { subnet } = bridge;
  const cable = {
    link: pod.link,
    bridge: bridge.name,
    mtu: bridge.mtu,
    netns: pod.netns,
    macAddress: macAddressFor(pod.address),
    address: formatAddress(pod.address),
    prefix: subnet.prefix,
    broadcast: formatAddress(subnet.first + sizeOf(subnet) - 1),
    gateway: gatewayOf(subnet),
  };
  await layCable(cable, scope);
  writeFileSync(`/sys/class/net/${pod.link}/brport/hairpin_mode`, "1");
}

/** The MTU of the first link with a default route; 1500 where there is none. */
export function uplinkMtu(routes: readonly IPRoute[]): number {
  const uplink = routes.find((route) => route.dst === "default" && route.dev !== undefined)?.dev;
  if (uplink === undefined || !linkExists(uplink)) return 1500;
  return Number(readFileSync(`/sys/class/net/${uplink}/mtu`, "utf8"));
}
