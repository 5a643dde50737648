import { isOnAllAddresses } from "./host-ports.ts";
import { formatSubnet, type Subnet } from "./ipv4.ts";
import type { HostPort } from "./types.ts";

/** Names that the rules speak of. */
export interface RulesetNames {
  readonly table: string;
  readonly bridge: string;
  readonly subnet: Subnet;
}

/** A pod's address and the host ports that lead to it. */
export interface PortTarget {
  readonly ip: string;
  readonly hostPorts: readonly HostPort[];
}

/**
 * The node's whole nft table as one script that replaces whatever table of that name was there (nft(8)).
 *
 * - `to_pods`: host ports, by destination address first, then on all addresses; reached by packets to any address
 *   of this host, arriving (`arriving`) or its own (`own`).
 * - `leaving`: pods reach the outside under the host's address; the host's loopback, or a pod that reaches itself
 *   through a host port, gets the bridge's address, or the answer would never leave the pod.
 * - `told`: a packet from pod to pod goes by way of the bridge's own address (see layCable); the kernel would tell the
 *   pods of the shorter way.
 * - `guard`: the bridge accepts 127.0.0.0/8 for the sake of host ports on 127.0.0.1 (route_localnet); no pod may
 *   reach the host's loopback that way.
 * - `through`: accepts what goes from or to the bridge. Another table's drop still wins.
 */
export function rulesetScript(names: RulesetNames, targets: readonly PortTarget[]): string {
  const { table, bridge } = names;
  const subnet = formatSubnet(names.subnet);
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  map host_ports_of_address {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
  }
  map host_ports {
    type inet_proto . inet_service : ipv4_addr . inet_service
  }
  set itself {
    type ipv4_addr . ipv4_addr
  }
  chain to_pods {
    dnat ip to ip daddr . meta l4proto . th dport map @host_ports_of_address
    dnat ip to meta l4proto . th dport map @host_ports
  }
  chain guard {
    type filter hook prerouting priority -300; policy accept;
    iifname "${bridge}" ip daddr 127.0.0.0/8 drop
  }
  chain arriving {
    type nat hook prerouting priority -100; policy accept;
    fib daddr type local jump to_pods
  }
  chain own {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump to_pods
  }
  chain leaving {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${subnet} ip daddr != ${subnet} oifname != "${bridge}" masquerade
    oifname "${bridge}" ct status dnat ip saddr 127.0.0.0/8 masquerade
    oifname "${bridge}" ct status dnat ip saddr . ip daddr @itself masquerade
  }
  chain told {
    type filter hook output priority 0; policy accept;
    oifname "${bridge}" icmp type redirect drop
  }
  chain through {
    type filter hook forward priority 0; policy accept;
    iifname "${bridge}" accept
    oifname "${bridge}" accept
  }
}
${elementsScript(table, targets)}`;
}

/** Replaces the published host ports by exactly these, in one transaction. */
export function hostPortsScript(table: string, targets: readonly PortTarget[]): string {
  return `flush map ip ${table} host_ports_of_address
flush map ip ${table} host_ports
flush set ip ${table} itself
${elementsScript(table, targets)}`;
}

function elementsScript(table: string, targets: readonly PortTarget[]): string {
  const all: string[] = [];
  const ofAddress: string[] = [];
  const itself: string[] = [];
  for (const { ip, hostPorts } of targets) {
    if (hostPorts.length > 0) itself.push(`${ip} . ${ip}`);
    for (const port of hostPorts) {
      const element = `${port.protocol.toLowerCase()} . ${port.hostPort} : ${ip} . ${port.containerPort}`;
      if (isOnAllAddresses(port)) all.push(element);
      else ofAddress.push(`${port.hostIP} . ${element}`);
    }
  }
  return [
    all.length === 0 ? "" : `add element ip ${table} host_ports { ${all.join(", ")} }\n`,
    ofAddress.length === 0
      ? ""
      : `add element ip ${table} host_ports_of_address { ${ofAddress.join(", ")} }\n`,
    itself.length === 0 ? "" : `add element ip ${table} itself { ${itself.join(", ")} }\n`,
  ].join("");
}
