import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { Store } from "../../store/types.ts";
import type { Attributes } from "./attributes.ts";
import { mastersGroup, type User } from "./user.ts";

interface PolicyRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

interface Binding extends KubernetesObject {
  subjects?: readonly { kind: string; name: string; namespace?: string }[];
  roleRef: { kind: string; name: string };
}

/** What every authenticated user may do (the cluster roles system:discovery and system:basic-user). */
const everybody: readonly PolicyRule[] = [
  {
    verbs: ["get"],
    nonResourceURLs: [
      "/version",
      "/version/*",
      "/healthz",
      "/livez",
      "/readyz",
      "/api",
      "/api/*",
      "/apis",
      "/apis/*",
      "/openapi",
      "/openapi/*",
    ],
  },
  {
    verbs: ["create"],
    apiGroups: ["authorization.k8s.io", "authentication.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"],
  },
];

/**
 * Whether the user may do it by RBAC: rules add up, nothing denies
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/). Reads roles and bindings from the store.
 */
export function isAllowed(user: User, attributes: Attributes, store: Store): boolean {
  if (user.groups.includes(mastersGroup)) return true;
  const allows = (rules: readonly PolicyRule[]) => rules.some((rule) => covers(rule, attributes));
  if (allows(everybody)) return true;
  for (const binding of bindings(store, "clusterrolebindings")) {
    if (bindsTo(binding, user) && allows(roleRules(store, binding, ""))) return true;
  }
  if (attributes.kind === "path" || attributes.namespace === "") return false;
  for (const binding of bindings(store, "rolebindings", attributes.namespace)) {
    if (bindsTo(binding, user) && allows(roleRules(store, binding, attributes.namespace))) return true;
  }
  return false;
}

/** Throws Forbidden in the API server's words unless the user may do it. */
export function authorize(user: User, attributes: Attributes, store: Store): void {
  if (isAllowed(user, attributes, store)) return;
  throw new PeapodError("Forbidden", refusal(user, attributes));
}

function refusal(user: User, attributes: Attributes): string {
  const who = `User "${user.name}" cannot ${attributes.verb}`;
  if (attributes.kind === "path") return `forbidden: ${who} path "${attributes.path}"`;
  const { group, resource, namespace, name } = attributes;
  const plural = resource.split("/")[0];
  const what = [plural, ...(group === "" ? [] : [group])].join(".");
  const where = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const named = name === "" ? "" : ` "${name}"`;
  return `${what}${named} is forbidden: ${who} resource "${resource}" in API group "${group}" ${where}`;
}

function covers(rule: PolicyRule, attributes: Attributes): boolean {
  if (!matches(rule.verbs, attributes.verb)) return false;
  if (attributes.kind === "path") {
    return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, attributes.path));
  }
  const { group, resource, name } = attributes;
  const names = rule.resourceNames ?? [];
  const subresource = resource.split("/")[1];
  return (
    matches(rule.apiGroups, group) &&
    (matches(rule.resources, resource) ||
      (subresource !== undefined && (rule.resources ?? []).includes(`*/${subresource}`))) &&
    (names.length === 0 || names.includes(name))
  );
}

function matches(list: readonly string[] | undefined, value: string): boolean {
  return list?.some((entry) => entry === "*" || entry === value) ?? false;
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}

function bindsTo(binding: Binding, user: User): boolean {
  return (binding.subjects ?? []).some(({ kind, name, namespace }) => {
    if (kind === "Group") return user.groups.includes(name);
    if (kind === "User") return user.name === name;
    const own = namespace ?? binding.metadata.namespace ?? "";
    return kind === "ServiceAccount" && user.name === `system:serviceaccount:${own}:${name}`;
  });
}

function bindings(store: Store, resource: string, namespace?: string): readonly Binding[] {
  const filter = namespace === undefined ? undefined : { namespace };
  return store.list(resource, filter).items as readonly Binding[];
}

function roleRules(store: Store, { roleRef }: Binding, namespace: string): readonly PolicyRule[] {
  const isCluster = roleRef.kind === "ClusterRole";
  const roles = store.list(isCluster ? "clusterroles" : "roles", isCluster ? undefined : { namespace }).items;
  const role = roles.find((candidate) => candidate.metadata.name === roleRef.name);
  return (role?.rules as readonly PolicyRule[] | undefined) ?? [];
}
