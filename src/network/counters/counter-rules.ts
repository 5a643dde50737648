import { type TrafficSet, trafficSetName, trafficTable } from "../../host/traffic-table.ts";

/** A container whose cgroup nft can name. */
export interface CountedCgroup {
  readonly name: string;
  /** Below /sys/fs/cgroup, as nft looks cgroups up, without leading slash. */
  readonly path: string;
  /** Depth below the root of the version 2 tree. */
  readonly level: number;
}

/** A set must not grow without bound when a container scans the network, nor keep what is long over. */
const elementLimit = 4_096;
const elementTimeout = "1h";
/** Of what a packet's lookup counts: that does not start the time anew, and a connection may last. */
const lookedUpTimeout = "1d";

const keyTypes = {
  4: { address: "ipv4_addr", protocol: "ip" },
  6: { address: "ipv6_addr", protocol: "ip6" },
} as const;
const families = [4, 6] as const;

/** From where Linux takes ports for sockets that ask for none (net.ipv4.ip_local_port_range). */
const firstEphemeralPort = 32_768;

/**
 * The nft script that counts: per container one chain for what its sockets send and one for what they receive, and
 * sets whose elements are the counters. Adding what exists changes nothing, so that counts survive; only rules are
 * made anew.
 *
 * Who is the client tells the SYN, because ports don't: a server may have any. UDP has no such thing; there
 * a port that the kernel hands out by itself is taken for a client's.
 *
 * No cgroup is part of a set's key: to list such a set, nft searches the whole cgroup tree for the name.
 *
 * What costs is a packet of an open connection, of which there may be a hundred thousand in a second: it has to find
 * its way by as few lookups as can be (docs/decisions/0013-counters-per-packet.md). A segment to or from a port that no
 * container has called leaves at the first rules, and so does a datagram to or from a client's port. For the rest,
 * looking its peer up in `sent` or `received` counts it (a set's element with a counter counts the lookups that find
 * it, since Linux 5.7), and `accept` spares it the rules for those that open a connection.
 */
export function counterRules(containers: readonly CountedCgroup[]): string {
  const table = `inet ${trafficTable}`;
  const levels = [...new Set(containers.map(({ level }) => level))];
  return [
    `add table ${table}`,
    `add map ${table} senders { type cgroupsv2 : verdict; }`,
    `add map ${table} receivers { type cgroupsv2 : verdict; }`,
    `add set ${table} called { type inet_service; flags dynamic,timeout; size ${elementLimit}; timeout ${lookedUpTimeout}; }`,
    `add chain ${table} output { type filter hook output priority 0; policy accept; }`,
    `add chain ${table} input { type filter hook input priority 0; policy accept; }`,
    ...containers.flatMap(containerRules),
    `flush chain ${table} output`,
    `flush chain ${table} input`,
    `add rule ${table} output meta l4proto tcp ${isOpenConnection} tcp dport != @called accept`,
    `add rule ${table} input meta l4proto tcp ${isOpenConnection} tcp sport != @called accept`,
    `add rule ${table} output meta l4proto udp th dport >= ${firstEphemeralPort} accept`,
    `add rule ${table} input meta l4proto udp th sport >= ${firstEphemeralPort} accept`,
    ...levels.flatMap((level) => [
      `add rule ${table} output socket cgroupv2 level ${level} vmap @senders`,
      `add rule ${table} input socket cgroupv2 level ${level} vmap @receivers`,
    ]),
    "",
  ].join("\n");
}

const isSYN = "tcp flags & (fin | syn | rst | ack) == syn";
const isAnswer = "tcp flags & (fin | syn | rst | ack) == (syn | ack)";
/** Without refusals (RST): such a one carries nothing, and its header has another length than all others. */
const isOpenConnection = "tcp flags & (syn | rst) == 0x0";

function containerRules({ name, path }: CountedCgroup): string[] {
  const table = `inet ${trafficTable}`;
  const id = name.replaceAll("-", "_");
  return [
    ...families.flatMap((family) => familyRules(name, family)),
    ...(["sent", "received"] as const).flatMap((way) => [
      `add chain ${table} ${way}_${id}`,
      `flush chain ${table} ${way}_${id}`,
      `add rule ${table} ${way}_${id} meta nfproto vmap { ipv4 : goto ${way}4_${id}, ipv6 : goto ${way}6_${id} }`,
    ]),
    `add element ${table} senders { "${path}" : jump sent_${id} }`,
    `add element ${table} receivers { "${path}" : jump received_${id} }`,
  ];
}

function familyRules(name: string, family: 4 | 6): string[] {
  const table = `inet ${trafficTable}`;
  const id = name.replaceAll("-", "_");
  const set = (each: TrafficSet) => trafficSetName(each, family, name);
  const { protocol: ip, address } = keyTypes[family];
  const to = `${ip} daddr . th dport`;
  const from = `${ip} saddr . th sport`;
  const peer = `${address} . inet_service`;
  const out = `add rule ${table} sent${family}_${id}`;
  const back = `add rule ${table} received${family}_${id}`;
  return [
    addSet(set("peers"), peer, { counts: false, timeout: lookedUpTimeout }),
    addSet(set("connects"), peer),
    addSet(set("connected"), peer),
    addSet(set("accepts"), peer),
    addSet(set("sent"), `inet_proto . ${peer}`, { timeout: lookedUpTimeout }),
    addSet(set("received"), `inet_proto . ${peer}`, { timeout: lookedUpTimeout }),
    `add chain ${table} sent${family}_${id}`,
    `add chain ${table} received${family}_${id}`,
    `flush chain ${table} sent${family}_${id}`,
    `flush chain ${table} received${family}_${id}`,
    `${out} meta l4proto tcp ${isOpenConnection} meta l4proto . ${to} @${set("sent")} accept`,
    `${out} meta l4proto tcp ${isSYN} update @called { th dport } update @${set("peers")} { ${to} } update @${set("connects")} { ${to} } update @${set("sent")} { meta l4proto . ${to} }`,
    `${out} meta l4proto udp update @${set("sent")} { meta l4proto . ${to} }`,
    `${back} meta l4proto tcp ${isOpenConnection} meta l4proto . ${from} @${set("received")} accept`,
    `${back} meta l4proto tcp ${isAnswer} ${from} @${set("peers")} update @${set("connected")} { ${from} } update @${set("received")} { meta l4proto . ${from} }`,
    `${back} meta l4proto tcp iifname != "lo" ${isSYN} update @${set("accepts")} { ${ip} saddr . th dport }`,
    `${back} meta l4proto udp update @${set("received")} { meta l4proto . ${from} }`,
  ];
}

function addSet(
  name: string,
  type: string,
  { counts = true, timeout = elementTimeout }: { counts?: boolean; timeout?: string } = {},
): string {
  const counter = counts ? " counter;" : "";
  return `add set inet ${trafficTable} ${name} { type ${type}; flags dynamic,timeout; size ${elementLimit}; timeout ${timeout};${counter} }`;
}
