import type { ILimitRange } from "kubernetes-models/v1/LimitRange";
import { podAmounts } from "../../kube/pod-resources.ts";
import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from "../../kube/quantity.ts";
import type { Container, PersistentVolumeClaim, Pod } from "../../kube/types.ts";
import { amountText } from "./amounts.ts";

type List = Readonly<Record<string, string | number>>;
type Item = NonNullable<ILimitRange["spec"]>["limits"][number];

/** What is held to a range: requests and limits, as amounts that can be compared and shown. */
interface Asked {
  readonly requests: ReadonlyMap<string, Quantity>;
  readonly limits: ReadonlyMap<string, Quantity>;
}

const annotation = "kubernetes.io/limit-ranger";

/**
 * Gives the containers of a new pod the requests and limits that they lack and the ranges of their namespace have, in
 * place, and notes that as an annotation; says whether it changed anything
 * (https://kubernetes.io/docs/concepts/policy/limit-range/).
 */
export function applyLimitDefaults(pod: Pod, ranges: readonly ILimitRange[]): boolean {
  const notes: string[] = [];
  for (const { spec } of ranges) {
    for (const item of spec?.limits ?? []) {
      if (item.type !== "Container") continue;
      for (const container of pod.spec?.containers ?? [])
        notes.push(...giveDefaults(container, item, "container"));
      for (const container of pod.spec?.initContainers ?? []) {
        notes.push(...giveDefaults(container, item, "init container"));
      }
    }
  }
  if (notes.length === 0) return false;
  pod.metadata = {
    ...pod.metadata,
    annotations: {
      ...pod.metadata?.annotations,
      [annotation]: `LimitRanger plugin set: ${notes.join("; ")}`,
    },
  };
  return true;
}

function giveDefaults(container: Container, item: Item, what: string): string[] {
  const given = (list: "requests" | "limits", defaults: List | undefined) => {
    const missing = Object.entries(defaults ?? {})
      .filter(([name]) => container.resources?.[list]?.[name] === undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    if (missing.length === 0) return [];
    container.resources = {
      ...container.resources,
      [list]: { ...container.resources?.[list], ...Object.fromEntries(missing) },
    };
    return [`${missing.map(([name]) => name).join(", ")} ${list.slice(0, -1)} for ${what} ${container.name}`];
  };
  return [...given("requests", item.defaultRequest as List), ...given("limits", item.default as List)];
}

/** How a pod goes beyond the ranges of its namespace, in the API server's words. */
export function podLimitProblems(pod: Pod, ranges: readonly ILimitRange[]): string[] {
  const spec = pod.spec ?? { containers: [] };
  return itemsOf(ranges).flatMap((item) => {
    if (item.type === "Pod") {
      const asked = {
        requests: total(podAmounts(spec, "requests")),
        limits: total(podAmounts(spec, "limits")),
      };
      return problems(item, asked, true);
    }
    if (item.type !== "Container") return [];
    const containers = [...spec.containers, ...(spec.initContainers ?? [])];
    return containers.flatMap(({ resources }) =>
      problems(item, { requests: parsed(resources?.requests), limits: parsed(resources?.limits) }, true),
    );
  });
}

/** How a claim goes beyond the ranges of its namespace. */
export function claimLimitProblems(claim: PersistentVolumeClaim, ranges: readonly ILimitRange[]): string[] {
  const requests = parsed(claim.spec?.resources?.requests);
  return itemsOf(ranges)
    .filter(({ type }) => type === "PersistentVolumeClaim")
    .flatMap((item) => problems(item, { requests, limits: new Map() }, false));
}

function itemsOf(ranges: readonly ILimitRange[]): Item[] {
  return ranges.flatMap(({ spec }) => spec?.limits ?? []);
}

function problems(item: Item, { requests, limits }: Asked, hasLimits: boolean): string[] {
  const per = `usage per ${item.type} is`;
  const check = (list: unknown, rule: (name: string, bound: Quantity) => string | undefined) =>
    [...parsed(list as List)].flatMap(([name, bound]) => rule(name, bound) ?? []);
  const shown = formatQuantity;
  const beyond = (name: string, bound: Quantity, sign: 1 | -1, lists: readonly ("request" | "limit")[]) => {
    const word = sign === 1 ? "maximum" : "minimum";
    for (const list of lists) {
      const amount = (list === "request" ? requests : limits).get(name);
      if (amount === undefined || compareQuantities(amount, bound) * sign <= 0) continue;
      return `${word} ${name} ${per} ${shown(bound)}, but ${list} is ${shown(amount)}`;
    }
    return undefined;
  };
  return [
    ...check(item.min, (name, bound) =>
      requests.has(name)
        ? beyond(name, bound, -1, ["request", "limit"])
        : `minimum ${name} ${per} ${shown(bound)}.  No request is specified`,
    ),
    ...check(item.max, (name, bound) => {
      const bounded = hasLimits ? limits : requests;
      if (!bounded.has(name)) {
        return `maximum ${name} ${per} ${shown(bound)}.  No ${hasLimits ? "limit" : "request"} is specified`;
      }
      return beyond(name, bound, 1, hasLimits ? ["limit", "request"] : ["request"]);
    }),
    ...check(item.maxLimitRequestRatio, (name, bound) =>
      ratioProblem(name, item.type, bound, requests.get(name), limits.get(name)),
    ),
  ];
}

function ratioProblem(
  name: string,
  type: string,
  bound: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string | undefined {
  const rule = `${name} max limit to request ratio per ${type} is ${formatQuantity(bound)}`;
  if (!request?.nano) return `${rule}, but no request is specified or request is 0`;
  if (!limit?.nano) return `${rule}, but no limit is specified or limit is 0`;
  if (limit.nano * 10n ** 9n <= bound.nano * request.nano) return undefined;
  return `${rule}, but provided ratio is ${(Number(limit.nano) / Number(request.nano)).toFixed(6)}`;
}

function parsed(list: List | undefined): Map<string, Quantity> {
  const entries = Object.entries(list ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    entries.flatMap(([name, value]) => {
      const quantity = parseQuantity(value);
      return quantity === undefined ? [] : [[name, quantity] as const];
    }),
  );
}

/** What a pod asks for as a whole; what it does not ask for at all is absent. */
function total(amounts: ReadonlyMap<string, bigint>): Map<string, Quantity> {
  return parsed(Object.fromEntries([...amounts].map(([name, amount]) => [name, amountText(name, amount)])));
}
