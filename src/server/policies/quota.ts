import type { IResourceQuota } from "kubernetes-models/v1/ResourceQuota";
import { isNotFound } from "../../base/errors.ts";
import type { KubernetesObject, Pod } from "../../kube/types.ts";
import type { ApiContext } from "../request.ts";
import { resourceName } from "../resource.ts";
import { amountsText, amountText, type QuotaAmounts, quotaAmount } from "./amounts.ts";
import { isInScope } from "./quota-scopes.ts";
import { countedResource, quotaUsage } from "./quota-usage.ts";

/** What every container of a pod must say where a quota limits it. */
const computeResources = ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];

/** The quotas of a namespace, by name. */
export function quotasOf(context: Pick<ApiContext, "store">, namespace: string): readonly IResourceQuota[] {
  const { items } = context.store.list("resourcequotas", { namespace });
  return (items as unknown as IResourceQuota[]).toSorted((a, b) =>
    (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1,
  );
}

/** What all objects of its namespace use of a quota now; every resource that the quota limits has an amount. */
function usedOf(quota: IResourceQuota, context: ApiContext): QuotaAmounts {
  const now = context.scope.clock.now();
  const namespace = quota.metadata?.namespace ?? "";
  const names = Object.keys(quota.spec?.hard ?? {});
  const used = new Map(names.map((name) => [name, 0n]));
  const known = new Set(context.resources.map(resourceName));
  for (const resource of new Set(names.map(countedResource))) {
    if (resource === undefined || !known.has(resource)) continue;
    for (const object of context.store.list(resource, { namespace }).items) {
      if (!isInScope(quota, resource, object)) continue;
      for (const [name, amount] of quotaUsage(resource, object, now)) {
        const before = used.get(name);
        if (before !== undefined) used.set(name, before + amount);
      }
    }
  }
  return used;
}

/**
 * Why a quota of the namespace does not allow an object, which is new or was `current` before; undefined when all
 * allow it. In the API server's words.
 */
export function quotaProblem(
  resource: string,
  next: KubernetesObject,
  current: KubernetesObject | undefined,
  context: ApiContext,
): string | undefined {
  for (const quota of quotasOf(context, next.metadata.namespace ?? "")) {
    const problem = problemWith(quota, resource, next, current, context);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemWith(
  quota: IResourceQuota,
  resource: string,
  next: KubernetesObject,
  current: KubernetesObject | undefined,
  context: ApiContext,
): string | undefined {
  const { hard = {} } = quota.spec ?? {};
  const name = quota.metadata?.name ?? "";
  if (!Object.keys(hard).some((limited) => countedResource(limited) === resource)) return undefined;
  if (!isInScope(quota, resource, next)) return undefined;
  if (resource === "pods" && current === undefined) {
    const missing = missingAmounts(next as unknown as Pod, Object.keys(hard));
    if (missing !== undefined) return `failed quota: ${name}: must specify ${missing}`;
  }
  const requested = grownAmounts(resource, next, current, Object.keys(hard), context);
  if (requested.size === 0) return undefined;
  const used = usedOf(quota, context);
  const exceeded = [...requested.keys()].filter(
    (limited) =>
      (used.get(limited) ?? 0n) + (requested.get(limited) ?? 0n) > quotaAmount(limited, hard[limited] ?? 0),
  );
  if (exceeded.length === 0) return undefined;
  const only = (amountOf: (limited: string) => bigint) =>
    amountsText(new Map(exceeded.map((limited) => [limited, amountOf(limited)])));
  return `exceeded quota: ${name}, requested: ${only((limited) => requested.get(limited) ?? 0n)}, used: ${only(
    (limited) => used.get(limited) ?? 0n,
  )}, limited: ${only((limited) => quotaAmount(limited, hard[limited] ?? 0))}`;
}

/** What the object will use more of than before. */
function grownAmounts(
  resource: string,
  next: KubernetesObject,
  current: KubernetesObject | undefined,
  limited: readonly string[],
  { scope }: ApiContext,
): Map<string, bigint> {
  const now = scope.clock.now();
  const before = current === undefined ? new Map<string, bigint>() : quotaUsage(resource, current, now);
  return new Map(
    [...quotaUsage(resource, next, now)].flatMap(([name, amount]) => {
      const more = amount - (before.get(name) ?? 0n);
      return more > 0n && limited.includes(name) ? [[name, more] as const] : [];
    }),
  );
}

/** `limits.cpu for: a,b; requests.memory for: a`: what a quota limits and containers do not say. */
function missingAmounts({ spec }: Pod, limited: readonly string[]): string | undefined {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const parts = computeResources
    .filter((name) => limited.includes(name))
    .flatMap((name) => {
      const list = name.startsWith("limits.") ? "limits" : "requests";
      const resource = name.slice(name.indexOf(".") + 1);
      if (spec?.resources?.[list]?.[resource] !== undefined) return [];
      const silent = containers.filter(({ resources }) => resources?.[list]?.[resource] === undefined);
      return silent.length === 0 ? [] : `${name} for: ${silent.map((container) => container.name).join(",")}`;
    });
  return parts.length === 0 ? undefined : parts.join("; ");
}

/** Writes into a quota's status what it allows and what is used now; one that is right already costs no write. */
export function updateQuotaStatus(key: { namespace: string; name: string }, context: ApiContext): void {
  try {
    context.store.update({ resource: "resourcequotas", ...key }, (current) => {
      const quota = current as unknown as IResourceQuota;
      const used = [...usedOf(quota, context)].map(([name, amount]) => [name, amountText(name, amount)]);
      return { ...current, status: { hard: quota.spec?.hard ?? {}, used: Object.fromEntries(used) } };
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
