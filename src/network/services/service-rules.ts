import type { Backend, ServiceForward } from "./types.ts";

/** What the rules need to know of the node. */
export interface ServiceRulesNames {
  readonly table: string;
  /** The host's link to its pods; undefined where there is none that all pods share (CNI). */
  readonly podLink: string | undefined;
  /** Address that pods ask for names, and the port on which it really is answered. */
  readonly nameServer: { readonly address: string; readonly port: number } | undefined;
}

/**
 * The nft table of all Services as one script that replaces whatever table of that name was there (nft(8)).
 *
 * - A chain per port of a Service chooses one of its backends; the maps lead to the chains by address and port:
 *   `inside` for packets from pods and the host itself, `outside` for external IPs, `node_ports` for ports of the
 *   host's own addresses.
 * - `refuse`: what is asked of a Service's address but has nobody to answer it is refused at once. It stands before the
 *   translation, where new connections still have the Service's address.
 * - `leaving`: a pod that reaches itself, and the host's loopback, need another address to be answered at. Pods
 *   whose network is not this node's own get that in every case, since how their answers travel is not known.
 *
 * The translation of a connection is the kernel's own record (conntrack): replacing the table cuts none off.
 */
export function serviceRules(names: ServiceRulesNames, forwards: readonly ServiceForward[]): string {
  const { table, podLink, nameServer } = names;
  const served = forwards.filter(({ backends }) => backends.length > 0);
  const idle = forwards.filter(({ backends }) => backends.length === 0);
  const fromPods = podLink === undefined ? "" : `iifname "${podLink}" `;
  const needsAddress = podLink === undefined ? "" : "ip saddr 127.0.0.0/8 ip daddr != 127.0.0.0/8 ";
  const { address, port } = nameServer ?? {};
  const namesElsewhere = `    iifname != { "lo", "${podLink}" } ip daddr ${address} meta l4proto { tcp, udp } th dport ${port} drop\n`;
  const askNames = `    ip daddr ${address} meta l4proto { tcp, udp } th dport 53 dnat to ${address}:${port}\n`;

  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
${verdicts("inside", addressKey, served, (forward) => addressKeys(forward, forward.clusterIPs))}
${verdicts("outside", addressKey, served, (forward) => addressKeys(forward, forward.externalIPs))}
${verdicts("node_ports", portKey, served, nodePortKeys)}
${set("answered", addressKey, served, (forward) => addressKeys(forward, forward.clusterIPs))}
${set("unanswered", addressKey, idle, (forward) => addressKeys(forward, forward.externalIPs))}
${set("unanswered_node_ports", portKey, idle, nodePortKeys)}
${set("cluster_ips", "ipv4_addr", forwards, ({ clusterIPs }) => clusterIPs)}
${set("backends", addressKey, served, backendKeys)}
${set("itself", "ipv4_addr . ipv4_addr", served, ({ backends }) => backends.map(({ ip }) => `${ip} . ${ip}`))}
${served.map((forward) => `  chain ${chainName(forward)} {\n    ${choice(forward)}\n  }\n`).join("")}  chain refused {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain refuse {
    ip daddr @cluster_ips meta l4proto { tcp, udp, sctp } ip daddr . meta l4proto . th dport != @answered goto refused
    ip daddr . meta l4proto . th dport @unanswered goto refused
    fib daddr type local meta l4proto . th dport @unanswered_node_ports goto refused
  }
  chain refuse_arriving {
    type filter hook prerouting priority -110; policy accept;
    ct state new jump refuse
${nameServer === undefined ? "" : namesElsewhere}  }
  chain refuse_own {
    type filter hook output priority -110; policy accept;
    ct state new jump refuse
  }
  chain ask_names {
${nameServer === undefined ? "" : askNames}  }
  chain to_inside {
    ip daddr . meta l4proto . th dport vmap @inside
  }
  chain to_outside {
    ip daddr . meta l4proto . th dport vmap @outside
    fib daddr type local meta l4proto . th dport vmap @node_ports
  }
  chain arriving {
    type nat hook prerouting priority -101; policy accept;
    ${fromPods}jump ask_names
    ${fromPods}jump to_inside
    jump to_outside
  }
  chain own {
    type nat hook output priority -101; policy accept;
    jump ask_names
    jump to_inside
    jump to_outside
  }
  chain leaving {
    type nat hook postrouting priority 99; policy accept;
    ct status dnat ip saddr . ip daddr @itself masquerade
    ct status dnat ${needsAddress}ip daddr . meta l4proto . th dport @backends masquerade
  }
}
`;
}

const addressKey = "ipv4_addr . inet_proto . inet_service";
const portKey = "inet_proto . inet_service";

function chainName({ namespace, name, protocol, port }: ServiceForward): string {
  return `service/${namespace}/${name}/${port}/${protocol.toLowerCase()}`;
}

function addressKeys({ protocol, port }: ServiceForward, ips: readonly string[]): readonly string[] {
  return ips.map((ip) => `${ip} . ${protocol.toLowerCase()} . ${port}`);
}

function nodePortKeys({ protocol, nodePort }: ServiceForward): readonly string[] {
  return nodePort === undefined ? [] : [`${protocol.toLowerCase()} . ${nodePort}`];
}

function backendKeys({ protocol, backends }: ServiceForward): readonly string[] {
  return backends.map(({ ip, port }) => `${ip} . ${protocol.toLowerCase()} . ${port}`);
}

function choice({ protocol, backends, sticky }: ServiceForward): string {
  const to = `meta l4proto ${protocol.toLowerCase()} dnat ip`;
  const target = ({ ip, port }: Backend) => `${ip} . ${port}`;
  const [only] = backends;
  if (backends.length === 1 && only !== undefined) return `${to} to ${only.ip}:${only.port}`;
  const number = sticky ? "jhash ip saddr" : "numgen random";
  const all = backends.map((backend, index) => `${index} : ${target(backend)}`);
  return `${to} addr . port to ${number} mod ${backends.length} map { ${all.join(", ")} }`;
}

type Keys = (forward: ServiceForward) => readonly string[];

/** A key has one verdict: where two Services claim the same address and port, the first one has it. */
function verdicts(name: string, type: string, forwards: readonly ServiceForward[], keys: Keys): string {
  const chains = new Map<string, string>();
  for (const forward of forwards) {
    for (const key of keys(forward)) if (!chains.has(key)) chains.set(key, chainName(forward));
  }
  const all = [...chains].map(([key, chain]) => `${key} : goto ${chain}`);
  return elements(`map ${name}`, `${type} : verdict`, all);
}

function set(name: string, type: string, forwards: readonly ServiceForward[], keys: Keys): string {
  return elements(`set ${name}`, type, [...new Set(forwards.flatMap(keys))]);
}

function elements(what: string, type: string, all: readonly string[]): string {
  const list = all.length === 0 ? "" : `    elements = { ${all.join(", ")} }\n`;
  return `  ${what} {\n    type ${type}\n${list}  }`;
}
