import { apiVersionOf, type Resource } from "./resource.ts";

/** The Kubernetes API version whose rules and fields this server follows. */
const kubernetesVersion = { major: "1", minor: "36" };

/** `/version`: what clients compare themselves with, and Peapod's own version beside it. */
export function versionInfo(version: string): object {
  return {
    ...kubernetesVersion,
    gitVersion: versionOf(version),
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "",
    platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
    peapodVersion: version,
  };
}

/** Kubernetes' version with Peapod's own behind it, in the form that clients can take apart. */
export function versionOf(version: string): string {
  return `v${kubernetesVersion.major}.${kubernetesVersion.minor}.0+peapod.${version}`;
}

/** Discovery documents by their paths: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api. */
export function discoveryDocuments(resources: readonly Resource[]): ReadonlyMap<string, object> {
  const documents = new Map<string, object>();
  const named = Map.groupBy(
    resources.filter(({ group }) => group !== ""),
    ({ group }) => group,
  );
  const groups = [...named].map(([group, members]) => apiGroup(group, members));
  documents.set("/api", { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] });
  documents.set("/apis", { kind: "APIGroupList", apiVersion: "v1", groups });
  for (const group of groups) {
    documents.set(`/apis/${group.name}`, { kind: "APIGroup", apiVersion: "v1", ...group });
  }
  for (const [path, members] of Map.groupBy(resources, basePath)) {
    const [first] = members;
    documents.set(path, {
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: first === undefined ? "" : apiVersionOf(first),
      resources: members.flatMap(apiResources),
    });
  }
  return documents;
}

/** `/api/v1` or `/apis/GROUP/VERSION`. */
export function basePath(resource: Resource): string {
  return `${resource.group === "" ? "/api" : "/apis"}/${apiVersionOf(resource)}`;
}

function apiGroup(name: string, members: readonly Resource[]) {
  const versions = [...new Set(members.map(({ version }) => version))].map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, versions, preferredVersion: versions[0] };
}

function apiResources(resource: Resource): object[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories, subresources } = resource;
  const optional = {
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
  };
  return [
    { name: plural, singularName: singular, namespaced, kind, verbs, ...optional },
    ...Object.entries(subresources).map(([name, subresource]) => ({
      name: `${plural}/${name}`,
      singularName: "",
      namespaced,
      ...(subresource.group === undefined ? {} : { group: subresource.group, version: subresource.version }),
      kind: subresource.kind,
      verbs: subresource.verbs,
    })),
  ];
}
