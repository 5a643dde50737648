import type { Resource, Subresource } from "./resource.ts";

/** Media type of the one document that holds all of discovery. */
export const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** Whether the client prefers it: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery. */
export function wantsAggregated(accept: string | undefined): boolean {
  return (accept ?? "").split(",").some((range) => {
    const parameters = range.split(";").map((part) => part.trim());
    return parameters.includes("as=APIGroupDiscoveryList") && parameters.includes("v=v2");
  });
}

/** The documents by their paths: the core group at `/api`, all others at `/apis`. */
export function aggregatedDiscovery(resources: readonly Resource[]): ReadonlyMap<string, object> {
  const isCore = ({ group }: Resource) => group === "";
  return new Map([
    ["/api", groupList(resources.filter(isCore))],
    ["/apis", groupList(resources.filter((resource) => !isCore(resource)))],
  ]);
}

function groupList(resources: readonly Resource[]): object {
  const groups = Map.groupBy(resources, ({ group }) => group);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: [...groups].map(([name, members]) => ({
      metadata: name === "" ? { creationTimestamp: null } : { name, creationTimestamp: null },
      versions: [...Map.groupBy(members, ({ version }) => version)].map(([version, ofVersion]) => ({
        version,
        freshness: "Current",
        resources: ofVersion.map(resourceDiscovery),
      })),
    })),
  };
}

function resourceDiscovery(resource: Resource): object {
  const { group, version, kind, plural, singular, namespaced, verbs, shortNames, categories } = resource;
  const subresources = Object.entries(resource.subresources);
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: subresources.map(([name, subresource]) =>
            subresourceDiscovery(resource, name, subresource),
          ),
        }),
  };
}

function subresourceDiscovery(resource: Resource, name: string, subresource: Subresource): object {
  const { group = resource.group, version = resource.version, kind, verbs } = subresource;
  return { subresource: name, responseKind: { group, version, kind }, verbs };
}
