import type { ILimitRange } from "kubernetes-models/v1/LimitRange";
import type { IResourceQuota } from "kubernetes-models/v1/ResourceQuota";
import { childPath, itemPath } from "../../kube/field-path.ts";
import { compareQuantities, formatQuantity, parseQuantity } from "../../kube/quantity.ts";
import { duplicate, forbidden, invalid, notSupported, type Problem, required } from "../problems.ts";
import { oneOf } from "../validate/values.ts";
import { kindRules } from "./rules.ts";

type Item = NonNullable<ILimitRange["spec"]>["limits"][number];
type List = Readonly<Record<string, string | number>>;

/** https://kubernetes.io/docs/concepts/policy/limit-range/ */
export const limitRangeRules = kindRules<ILimitRange>({
  setDefaults: ({ spec }) => {
    for (const item of spec?.limits ?? []) {
      if (item.type !== "Container") continue;
      if (item.max !== undefined) item.default = { ...item.max, ...item.default };
      if (item.default !== undefined) item.defaultRequest = { ...item.default, ...item.defaultRequest };
      if (item.min !== undefined) item.defaultRequest = { ...item.min, ...item.defaultRequest };
    }
  },
  validate: ({ spec }) => {
    const seen = new Set<string>();
    return (spec?.limits ?? []).flatMap((item, index) => {
      const field = itemPath("spec.limits", index);
      const repeated = seen.has(item.type) ? [duplicate(childPath(field, "type"), item.type)] : [];
      seen.add(item.type);
      return [...repeated, ...itemProblems(field, item)];
    });
  },
});

function itemProblems(field: string, item: Item): Problem[] {
  const problems: Problem[] = [];
  const { min, max, default: limit, defaultRequest: request, maxLimitRequestRatio: ratio } = item;
  if (item.type === "Pod") {
    for (const name of ["default", "defaultRequest"] as const) {
      if (item[name] === undefined) continue;
      problems.push(forbidden(childPath(field, name), "may not be specified when `type` is 'Pod'"));
    }
  }
  const hasStorage = [min, max].some((list) => (list as List | undefined)?.storage !== undefined);
  if (item.type === "PersistentVolumeClaim" && !hasStorage) {
    const detail = "either minimum or maximum storage value is required, but neither was provided";
    problems.push(required(childPath(field, "limits"), detail));
  }
  const orders = [
    ["min", min, "min", max, "max"],
    ["defaultRequest", min, "min", request, "default request"],
    ["defaultRequest", request, "default request", max, "max"],
    ["defaultRequest", request, "default request", limit, "default limit"],
    ["default", min, "min", limit, "default"],
    ["default", limit, "default", max, "max"],
  ] as const;
  for (const [child, lower, lowerName, upper, upperName] of orders) {
    problems.push(...misordered(childPath(field, child), lower as List, lowerName, upper as List, upperName));
  }
  for (const [name, value] of Object.entries((ratio ?? {}) as List)) {
    const quantity = parseQuantity(value);
    if (quantity === undefined || quantity.nano >= 10n ** 9n) continue;
    const path = itemPath(childPath(field, "maxLimitRequestRatio"), name);
    problems.push(invalid(path, value, `ratio ${formatQuantity(quantity)} is less than 1`));
  }
  return problems;
}

function misordered(
  field: string,
  lower: List | undefined,
  lowerName: string,
  upper: List | undefined,
  upperName: string,
): Problem[] {
  return Object.entries(lower ?? {}).flatMap(([name, value]) => {
    const [low, high] = [parseQuantity(value), parseQuantity(upper?.[name] ?? "")];
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) return [];
    const detail = `${lowerName} value ${formatQuantity(low)} is greater than ${upperName} value ${formatQuantity(high)}`;
    return invalid(itemPath(field, name), value, detail);
  });
}

const scopes = [
  "BestEffort",
  "CrossNamespacePodAffinity",
  "NotBestEffort",
  "NotTerminating",
  "PriorityClass",
  "Terminating",
  "VolumeAttributesClass",
];
const opposites = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

/** Resources without a slash that a quota can limit. */
const standardResource =
  /^(?:cpu|memory|ephemeral-storage|pods|hugepages-.+|(?:requests|limits)\.(?:cpu|memory|ephemeral-storage)|requests\.(?:storage|hugepages-.+)|services(?:\.nodeports|\.loadbalancers)?|replicationcontrollers|resourcequotas|secrets|configmaps|persistentvolumeclaims)$/;

/** https://kubernetes.io/docs/concepts/policy/resource-quotas/ */
export const resourceQuotaRules = kindRules<IResourceQuota>({
  immutable: ["spec.scopes"],
  validate: ({ spec }) => [
    ...Object.entries(spec?.hard ?? {}).flatMap(([name, value]) => {
      const field = itemPath("spec.hard", name);
      const quantity = parseQuantity(value);
      return [
        ...(name.includes("/") || standardResource.test(name)
          ? []
          : [invalid(field, name, "must be a standard resource for quota")]),
        ...(quantity !== undefined && quantity.nano < 0n
          ? [invalid(field, value, "must be greater than or equal to 0")]
          : []),
      ];
    }),
    ...scopeProblems(spec?.scopes ?? []),
    ...(spec?.scopeSelector?.matchExpressions ?? []).flatMap(({ scopeName, operator }, index) => {
      const field = itemPath("spec.scopeSelector.matchExpressions", index);
      return [
        ...oneOf(childPath(field, "scopeName"), scopeName, scopes),
        ...oneOf(childPath(field, "operator"), operator, ["In", "NotIn", "Exists", "DoesNotExist"]),
      ];
    }),
  ],
});

function scopeProblems(named: readonly string[]): Problem[] {
  const unknown = named.filter((scope) => !scopes.includes(scope));
  const conflicting = opposites.some(([a, b]) => named.includes(a) && named.includes(b));
  return [
    ...unknown.map((scope) => notSupported("spec.scopes", scope, scopes)),
    ...(conflicting ? [invalid("spec.scopes", named, "conflicting scopes")] : []),
  ];
}
