/** What a request wants to do, in RBAC's words. */
export type Attributes =
  | {
      readonly kind: "resource";
      readonly verb: string;
      /** Empty for the core group. */
      readonly group: string;
      /** Plural name, with the subresource behind a slash: `pods`, `pods/exec`. */
      readonly resource: string;
      /** Empty for cluster-scoped resources and for requests over all namespaces. */
      readonly namespace: string;
      /** Empty for collections. */
      readonly name: string;
    }
  | { readonly kind: "path"; readonly verb: string; readonly path: string };

const itemVerbs: Record<string, string> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

const streams = new Set(["exec", "attach", "portforward"]);

/**
 * Reads the attributes off a request as the API server's RequestInfo does
 * (https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb). Pure.
 */
export function requestAttributes(method: string, url: string): Attributes {
  // Not by `new URL`: it resolves dot segments, encoded ones too, and so would judge another path than the router
  // takes. Split where the router (find-my-way) splits.
  const pathname = url.split(/[?#]/, 1)[0] ?? "";
  const searchParams = new URLSearchParams(url.slice(pathname.length + 1));
  const parts = pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decode);
  const [root] = parts;
  const isCore = root === "api" && parts.length > 2;
  const isGroup = root === "apis" && parts.length > 3;
  if (!isCore && !isGroup) return { kind: "path", verb: method.toLowerCase(), path: pathname };

  const group = isCore ? "" : (parts[1] ?? "");
  let rest = parts.slice(isCore ? 2 : 3);
  let namespace = "";
  // `namespaces/x` alone names the namespace itself, with more behind it the namespace of what follows.
  if (rest[0] === "namespaces" && rest[1] !== undefined) {
    namespace = rest[1];
    if (rest[2] !== undefined && !["status", "finalize"].includes(rest[2])) rest = rest.slice(2);
  }
  const [plural = "", name = "", subresource] = rest;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  // A stream is opened by GET where it is a WebSocket, and changes the container all the same: who may only read may
  // not (AuthorizePodWebsocketUpgradeCreatePermission, on since Kubernetes 1.35).
  const isStream = resource.startsWith("pods/") && streams.has(subresource ?? "");
  const verb = isStream ? "create" : verbOf(method, name, searchParams);
  return { kind: "resource", verb, group, resource, namespace, name };
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  const verb = itemVerbs[method] ?? method.toLowerCase();
  if (verb === "get" && ["1", "true"].includes(query.get("watch") ?? "")) return "watch";
  if (name !== "") return verb;
  if (verb === "get") return "list";
  return verb === "delete" ? "deletecollection" : verb;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
