import type { ScalarTag } from "yaml";

/**
 * Plain scalars as Kubernetes reads them: YAML 1.1 by sigs.k8s.io/yaml, that is `0644` is octal, `yes`, `no`,
 * `on` and `off` are booleans, underscores in numbers are ignored; but base-60 numbers and dates stay text.
 * The first tag whose test matches wins; what none matches is a string.
 */
export const kubernetesScalarTags: ScalarTag[] = [
  {
    tag: "tag:yaml.org,2002:null",
    default: true,
    test: /^(?:~|null|Null|NULL)?$/,
    resolve: () => null,
  },
  {
    tag: "tag:yaml.org,2002:bool",
    default: true,
    test: /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/,
    resolve: () => true,
  },
  {
    tag: "tag:yaml.org,2002:bool",
    default: true,
    test: /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/,
    resolve: () => false,
  },
  {
    tag: "tag:yaml.org,2002:int",
    default: true,
    test: /^[-+]?0(?:[bB][01_]+|[oO]?[0-7_]+|[xX][0-9a-fA-F_]+)$/,
    resolve: resolvePrefixedInteger,
  },
  {
    tag: "tag:yaml.org,2002:float",
    default: true,
    test: /^[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/,
    resolve: (text) => Number(text.replaceAll("_", "")),
  },
  {
    tag: "tag:yaml.org,2002:float",
    default: true,
    test: /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
    resolve: (text) => (/nan/i.test(text) ? Number.NaN : text.startsWith("-") ? -Infinity : Infinity),
  },
];

/** `0644` and `0o644` are octal, `0b11` is binary, `0x1f` hexadecimal. */
function resolvePrefixedInteger(text: string): number {
  const digits = text.replace(/^[-+]/, "").replaceAll("_", "").toLowerCase();
  const magnitude = /^0[box]/.test(digits) ? Number(digits) : Number.parseInt(digits, 8);
  return text.startsWith("-") ? -magnitude : magnitude;
}
