import type { ResourceType } from "./resources.ts";

/** A type as the server describes it. */
export interface DiscoveredType extends ResourceType {
  /** Words that mean several types at once: `all`. */
  readonly categories: readonly string[];
}

/** What to ask `/api` and `/apis` for: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery. */
export const aggregatedDiscoveryType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** apidiscovery.k8s.io/v2 APIGroupDiscoveryList, as far as it matters here. */
export interface DiscoveryDocument {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources: readonly {
        readonly resource: string;
        readonly responseKind: { readonly kind: string };
        readonly scope: "Namespaced" | "Cluster";
        readonly singularResource: string;
        readonly verbs: readonly string[];
        readonly shortNames?: readonly string[];
        readonly categories?: readonly string[];
      }[];
    }[];
  }[];
}

/** The types that can be listed; of several versions of one, the server's first, which it prefers. */
export function discoveredTypes({ items }: DiscoveryDocument): DiscoveredType[] {
  return items.flatMap(({ metadata: { name: group = "" }, versions }) => {
    const types = new Map<string, DiscoveredType>();
    for (const { version, resources } of versions) {
      for (const {
        resource,
        responseKind,
        scope,
        singularResource,
        verbs,
        shortNames,
        categories,
      } of resources) {
        if (types.has(resource) || !verbs.includes("list")) continue;
        types.set(resource, {
          apiVersion: group === "" ? version : `${group}/${version}`,
          kind: responseKind.kind,
          plural: resource,
          singular: singularResource || responseKind.kind.toLowerCase(),
          shortNames: shortNames ?? [],
          namespaced: scope === "Namespaced",
          categories: categories ?? [],
        });
      }
    }
    return [...types.values()];
  });
}
