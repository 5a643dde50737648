import type { NameRecords } from "./types.ts";

/** Where a name server listens and what it has to say besides the records. */
export interface NameServerSettings {
  readonly address: string;
  readonly port: number;
  /** Names below it are answered from the records alone. */
  readonly domain: string;
  /** Blocks of addresses whose names are answered from the records alone. */
  readonly subnets: readonly string[];
  /** The resolv.conf(5) with the servers that know everything else; read again when it changes. */
  readonly resolvConf: string;
}

/** How long an answer may be kept, in seconds: as CoreDNS tells it for names of a cluster. */
const localSeconds = 5;

/**
 * The configuration of dnsmasq(8) that serves the records and asks the host's servers for everything else.
 *
 * dnsmasq follows an alias only to names that it knows itself, so `outside` has the addresses of the outside names
 * that aliases lead to.
 */
export function dnsmasqConfig(
  settings: NameServerSettings,
  records: NameRecords,
  outside: NameRecords["addresses"] = [],
): string {
  const { address, port, domain, subnets, resolvConf } = settings;
  return [
    `port=${port}`,
    `listen-address=${address}`,
    "bind-interfaces",
    "no-hosts",
    `resolv-file=${resolvConf}`,
    "cache-size=1000",
    `local-ttl=${localSeconds}`,
    `local=/${domain}/`,
    ...subnets.map((subnet) => `rev-server=${subnet}`),
    // By this record clients learn that names are served as Kubernetes' DNS specification says.
    `txt-record=dns-version.${domain},1.1.0`,
    ...[...records.addresses, ...outside].map(({ name, ip }) => `host-record=${name},${ip}`),
    ...records.aliases.map(({ name, target }) => `cname=${name},${target}`),
    ...records.ports.map((record) => `srv-host=${record.name},${record.target},${record.port},0,100`),
    "",
  ].join("\n");
}
