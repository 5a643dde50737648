import { basePath } from "../discovery.ts";
import { apiVersionOf, type Resource, type Verb } from "../resource.ts";

/** HTTP method and, in `x-kubernetes-action`, name of each verb of one object. */
const itemVerbs: Partial<Record<Verb, [method: string, action: string]>> = {
  get: ["get", "get"],
  update: ["put", "put"],
  patch: ["patch", "patch"],
  delete: ["delete", "delete"],
};
const collectionVerbs: Partial<Record<Verb, [method: string, action: string]>> = {
  list: ["get", "list"],
  create: ["post", "post"],
  deletecollection: ["delete", "deletecollection"],
};

/** Parameters by which clients find out what a write understands. */
const writeParameters = ["dryRun", "fieldManager", "fieldValidation"];
const listParameters = [
  "continue",
  "fieldSelector",
  "labelSelector",
  "limit",
  "resourceVersion",
  "resourceVersionMatch",
  "sendInitialEvents",
  "timeoutSeconds",
  "watch",
];

const patchTypes = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];

/** The paths of a resource with their operations: what kubectl reads of them is the kind, and which parameters there are. */
export function pathsOf(resource: Resource): Record<string, object> {
  const base = basePath(resource);
  const { plural, namespaced, verbs, subresources } = resource;
  const collection = namespaced ? `${base}/namespaces/{namespace}/${plural}` : `${base}/${plural}`;
  const paths: Record<string, object> = {
    [collection]: operations(resource, resource.kind, verbs, collectionVerbs),
    [`${collection}/{name}`]: operations(resource, resource.kind, verbs, itemVerbs),
  };
  if (namespaced)
    paths[`${base}/${plural}`] = operations(
      resource,
      resource.kind,
      verbs.filter((verb) => verb === "list"),
      collectionVerbs,
    );
  for (const [name, { kind, verbs: own }] of Object.entries(subresources)) {
    paths[`${collection}/{name}/${name}`] = operations(resource, kind, own, {
      ...itemVerbs,
      create: ["post", "connect"],
    });
  }
  return paths;
}

function operations(
  resource: Resource,
  kind: string,
  verbs: readonly Verb[],
  known: Partial<Record<Verb, [method: string, action: string]>>,
): object {
  const { group, version } = resource;
  return Object.fromEntries(
    verbs.flatMap((verb) => {
      const [method, action] = known[verb] ?? [];
      if (method === undefined) return [];
      const isWrite = ["put", "patch", "post"].includes(method);
      const names = isWrite
        ? [...writeParameters, ...(method === "patch" ? ["force"] : [])]
        : verb === "list"
          ? listParameters
          : [];
      const operation = {
        description: `${verb} ${resource.plural}`,
        operationId: `${verb}${apiVersionOf(resource).replaceAll(/[^a-z0-9]/gi, "")}${kind}`,
        parameters: names.map(queryParameter),
        ...(method === "patch"
          ? { requestBody: { content: Object.fromEntries(patchTypes.map((type) => [type, {}])) } }
          : {}),
        responses: { "200": { description: "OK" } },
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": { group, kind, version },
      };
      return [[method, operation]];
    }),
  );
}

function queryParameter(name: string): object {
  return { name, in: "query", schema: { type: "string", uniqueItems: true } };
}
