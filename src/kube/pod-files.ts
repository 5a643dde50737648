import { PeapodError } from "../base/errors.ts";
import type { Pod } from "./types.ts";

/**
 * The files that the kubelet writes for a pod: /etc/hosts, /etc/hostname, /etc/resolv.conf. Pure; rules from
 * https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ and
 * https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/.
 */

/** What the names of Services and their pods end with. */
export const clusterDomain = "cluster.local";

/** Host name and, for pods with a subdomain, the DNS domain that belongs to it. */
function nameAndDomain(pod: Pod): { name: string; domain: string } {
  const spec = pod.spec;
  if (spec?.hostnameOverride !== undefined) return { name: spec.hostnameOverride, domain: "" };
  const domain =
    spec?.subdomain === undefined || spec.subdomain === ""
      ? ""
      : `${spec.subdomain}.${pod.metadata?.namespace ?? "default"}.svc.${clusterDomain}`;
  if (spec?.hostname !== undefined && spec.hostname !== "") return { name: spec.hostname, domain };
  // A host name has at most 63 characters (RFC 1123) where a pod's name may have 253.
  return { name: (pod.metadata?.name ?? "").slice(0, 63).replace(/[-.]+$/, ""), domain };
}

/**
 * The pod's host name: what its UTS namespace and /etc/hostname have. Throws FailedCreatePodSandBox when
 * `setHostnameAsFQDN` asks for one of more than the 64 characters that the kernel keeps.
 */
export function hostnameFor(pod: Pod): string {
  const { name, domain } = nameAndDomain(pod);
  if (pod.spec?.setHostnameAsFQDN !== true || domain === "") return name;
  const qualified = `${name}.${domain}`;
  if (qualified.length > 64) {
    throw new PeapodError(
      "FailedCreatePodSandBox",
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${qualified} is too long (64 characters is the max, ${qualified.length} characters requested)`,
    );
  }
  return qualified;
}

/**
 * The pod's /etc/hosts. A pod with an address of its own gets the usual local names, itself and its host aliases; a
 * pod in the host's network gets the host's file and its aliases.
 */
export function hostsFile(pod: Pod, ips: readonly string[], hostHostsText: string): string {
  const aliases = hostAliasLines(pod);
  if (pod.spec?.hostNetwork === true) {
    return `# Kubernetes-managed hosts file (host network).\n${hostHostsText}${aliases}`;
  }
  const { name, domain } = nameAndDomain(pod);
  const names = domain === "" ? name : `${name}.${domain}\t${name}`;
  return [
    "# Kubernetes-managed hosts file.\n",
    "127.0.0.1\tlocalhost\n",
    "::1\tlocalhost ip6-localhost ip6-loopback\n",
    "fe00::0\tip6-localnet\n",
    "fe00::0\tip6-mcastprefix\n",
    "fe00::1\tip6-allnodes\n",
    "fe00::2\tip6-allrouters\n",
    ...ips.map((ip) => `${ip}\t${names}\n`),
    aliases,
  ].join("");
}

function hostAliasLines(pod: Pod): string {
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length === 0) return "";
  const lines = aliases.map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join("\t")}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join("")}`;
}

/** What a resolv.conf(5) says that pods take over. */
interface ResolverConfig {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

const maximumNameservers = 3;
const maximumSearches = 32;
const maximumSearchCharacters = 2048;

/**
 * The pod's /etc/resolv.conf by its dnsPolicy and dnsConfig. `nameServer` is the address of the cluster's; where there
 * is none, the policies that want it mean the host's resolver, as with a kubelet that was told of none. Lists are cut
 * to the limits of the kubelet: 3 name servers, 32 search domains of 2048 characters together.
 */
export function resolvConfFor(pod: Pod, hostResolvConfText: string, nameServer: string | undefined): string {
  const fromPolicy = policyConfig(pod, hostResolvConfText, nameServer);
  const own = pod.spec?.dnsConfig;
  const nameservers = unique([...fromPolicy.nameservers, ...(own?.nameservers ?? [])]);
  const searches = unique([...fromPolicy.searches, ...(own?.searches ?? [])]);
  const ownOptions = (own?.options ?? []).map(({ name, value }) =>
    value === undefined || value === "" ? (name ?? "") : `${name}:${value}`,
  );
  return formatResolvConf({
    nameservers: nameservers.slice(0, maximumNameservers),
    searches: fitSearches(searches),
    options: mergeOptions(fromPolicy.options, ownOptions),
  });
}

/** https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy */
function policyConfig(pod: Pod, hostText: string, nameServer: string | undefined): ResolverConfig {
  const { dnsPolicy = "ClusterFirst", hostNetwork } = pod.spec ?? {};
  if (dnsPolicy === "None") return emptyConfig;
  const host = parseResolvConf(hostText);
  const isForCluster =
    dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy === "ClusterFirst" && hostNetwork !== true);
  if (!isForCluster || nameServer === undefined) return host;
  const services = `svc.${clusterDomain}`;
  const namespace = pod.metadata?.namespace ?? "default";
  return {
    nameservers: [nameServer],
    searches: [`${namespace}.${services}`, services, clusterDomain, ...host.searches],
    options: ["ndots:5"],
  };
}

const emptyConfig: ResolverConfig = { nameservers: [], searches: [], options: [] };

function parseResolvConf(text: string): ResolverConfig {
  const nameservers: string[] = [];
  const options: string[] = [];
  let searches: readonly string[] = [];
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && words[0] !== undefined) nameservers.push(words[0]);
    // The last search line counts (resolv.conf(5)); with and without its final dot a domain is the same one.
    if (keyword === "search") searches = words.map((word) => (word === "." ? word : word.replace(/\.$/, "")));
    if (keyword === "options") options.push(...words);
  }
  return { nameservers, searches: unique(searches), options: mergeOptions([], options) };
}

function formatResolvConf(config: ResolverConfig): string {
  return [
    config.searches.length === 0 ? "" : `search ${config.searches.join(" ")}\n`,
    ...config.nameservers.map((server) => `nameserver ${server}\n`),
    config.options.length === 0 ? "" : `options ${config.options.join(" ")}\n`,
  ].join("");
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

/** Later options replace earlier ones of the same name (`ndots:2` by `ndots:5`), in place. */
function mergeOptions(first: readonly string[], second: readonly string[]): readonly string[] {
  const byName = new Map<string, string>();
  for (const option of [...first, ...second]) byName.set(option.split(":")[0] ?? "", option);
  return [...byName.values()];
}

function fitSearches(searches: readonly string[]): readonly string[] {
  const fitting = [...searches.slice(0, maximumSearches)];
  while (fitting.join(" ").length > maximumSearchCharacters) fitting.pop();
  return fitting;
}
