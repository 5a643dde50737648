import { childPath, itemPath } from "../../kube/field-path.ts";
import { subdomainProblems } from "../../kube/names.ts";
import type { PodSpec } from "../../kube/types.ts";
import { at, invalid, type Problem, required } from "../problems.ts";
import { hasForm, ipAddress, oneOf } from "./values.ts";

const configPath = "spec.dnsConfig";
const maximumNameservers = 3;
const maximumSearches = 32;
const maximumSearchCharacters = 2048;

/** Rules for how a pod resolves names: `dnsPolicy`, `dnsConfig` and `hostAliases`. */
export function validateDNS(spec: PodSpec): Problem[] {
  return [
    ...oneOf("spec.dnsPolicy", spec.dnsPolicy, [
      "ClusterFirstWithHostNet",
      "ClusterFirst",
      "Default",
      "None",
    ]),
    ...validateNameservers(spec),
    ...validateSearches(spec.dnsConfig?.searches ?? []),
    ...(spec.dnsConfig?.options ?? []).flatMap(({ name }, index) =>
      name ? [] : [required(itemPath(`${configPath}.options`, index), "must not be empty")],
    ),
    ...validateHostAliases(spec.hostAliases ?? []),
  ];
}

function validateNameservers(spec: PodSpec): Problem[] {
  const field = `${configPath}.nameservers`;
  const nameservers = spec.dnsConfig?.nameservers ?? [];
  const problems = nameservers.flatMap((address, index) => ipAddress(itemPath(field, index), address));
  if (spec.dnsPolicy === "None" && spec.dnsConfig === undefined) {
    const missing = required(configPath, "must provide `dnsConfig` when `dnsPolicy` is None");
    return [at("spec.dnsPolicy", missing)];
  }
  if (spec.dnsPolicy === "None" && nameservers.length === 0) {
    return [required(field, "must provide at least one DNS nameserver when `dnsPolicy` is None")];
  }
  if (nameservers.length > maximumNameservers) {
    problems.push(invalid(field, nameservers, `must not have more than ${maximumNameservers} nameservers`));
  }
  return problems;
}

function validateSearches(searches: readonly string[]): Problem[] {
  const field = `${configPath}.searches`;
  const problems = searches.flatMap((search, index) =>
    hasForm(itemPath(field, index), search.replace(/\.$/, ""), subdomainProblems),
  );
  if (searches.length > maximumSearches) {
    problems.push(invalid(field, searches, `must not have more than ${maximumSearches} search paths`));
  }
  if (searches.join(" ").length > maximumSearchCharacters) {
    const detail = `must not have more than ${maximumSearchCharacters} characters (including spaces) in the search list`;
    problems.push(invalid(field, searches, detail));
  }
  return problems;
}

function validateHostAliases(aliases: NonNullable<PodSpec["hostAliases"]>): Problem[] {
  return aliases.flatMap(({ ip, hostnames }, index) => {
    const path = itemPath("spec.hostAliases", index);
    return [
      ...(ip ? ipAddress(childPath(path, "ip"), ip) : [required(childPath(path, "ip"))]),
      ...(hostnames ?? []).flatMap((name, position) =>
        subdomainProblems(name).map((text) =>
          invalid(itemPath(childPath(path, "hostnames"), position), name, text),
        ),
      ),
    ];
  });
}
