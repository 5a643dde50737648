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
 */
export function counterRules(containers: readonly CountedCgroup[]): string {
  const table = `inet ${trafficTable}`;
  const levels = [...new Set(containers.map(({ level }) => level))];
  return [
    `add table ${table}`,
    `add map ${table} senders { type cgroupsv2 : verdict; }`,
    `add map ${table} receivers { type cgroupsv2 : verdict; }`,
    `add chain ${table} output { type filter hook output priority 0; policy accept; }`,
    `add chain ${table} input { type filter hook input priority 0; policy accept; }`,
    ...containers.flatMap(containerRules),
    `flush chain ${table} output`,
    `flush chain ${table} input`,
    ...levels.flatMap((level) => [
      `add rule ${table} output socket cgroupv2 level ${level} vmap @senders`,
      `add rule ${table} input socket cgroupv2 level ${level} vmap @receivers`,
    ]),
    "",
  ].join("\n");
}

function containerRules({ name, path }: CountedCgroup): string[] {
  const table = `inet ${trafficTable}`;
  const id = name.replaceAll("-", "_");
  const set = (each: TrafficSet, family: 4 | 6) => trafficSetName(each, family, name);
  const out = `add rule ${table} sent_${id}`;
  const back = `add rule ${table} received_${id}`;
  return [
    ...families.flatMap((family) => [
      addSet(set("peers", family), `${keyTypes[family].address} . inet_service`, false),
      addSet(set("connects", family), `${keyTypes[family].address} . inet_service`, true),
      addSet(set("connected", family), `${keyTypes[family].address} . inet_service`, true),
      addSet(set("accepts", family), `${keyTypes[family].address} . inet_service`, true),
      addSet(set("sent", family), `inet_proto . ${keyTypes[family].address} . inet_service`, true),
      addSet(set("received", family), `inet_proto . ${keyTypes[family].address} . inet_service`, true),
    ]),
    `add chain ${table} sent_${id}`,
    `add chain ${table} received_${id}`,
    `flush chain ${table} sent_${id}`,
    `flush chain ${table} received_${id}`,
    ...families.flatMap((family) => {
      const ip = keyTypes[family].protocol;
      const to = `${ip} daddr . th dport`;
      const from = `${ip} saddr . th sport`;
      const isSYN = "tcp flags & (fin | syn | rst | ack) == syn";
      const isAnswer = "tcp flags & (fin | syn | rst | ack) == (syn | ack)";
      // A refusal carries nothing, and its header has another length than all others.
      const noRST = "tcp flags & rst != rst";
      return [
        `${out} meta l4proto tcp ${isSYN} update @${set("peers", family)} { ${to} } update @${set("connects", family)} { ${to} }`,
        `${out} meta l4proto tcp ${noRST} ${to} @${set("peers", family)} update @${set("peers", family)} { ${to} } update @${set("sent", family)} { meta l4proto . ${to} }`,
        `${out} meta l4proto udp th dport < ${firstEphemeralPort} update @${set("sent", family)} { meta l4proto . ${to} }`,
        `${back} meta l4proto tcp iifname != "lo" ${isSYN} update @${set("accepts", family)} { ${ip} saddr . th dport }`,
        `${back} meta l4proto tcp ${isAnswer} ${from} @${set("peers", family)} update @${set("connected", family)} { ${from} }`,
        `${back} meta l4proto tcp ${noRST} ${from} @${set("peers", family)} update @${set("received", family)} { meta l4proto . ${from} }`,
        `${back} meta l4proto udp th sport < ${firstEphemeralPort} update @${set("received", family)} { meta l4proto . ${from} }`,
      ];
    }),
    `add element ${table} senders { "${path}" : jump sent_${id} }`,
    `add element ${table} receivers { "${path}" : jump received_${id} }`,
  ];
}

function addSet(name: string, type: string, counts: boolean): string {
  const counter = counts ? " counter;" : "";
  return `add set inet ${trafficTable} ${name} { type ${type}; flags dynamic,timeout; size ${elementLimit}; timeout ${elementTimeout};${counter} }`;
}
