import { matchesSelector } from "../../kube/match-selector.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { Store } from "../../store/types.ts";
import type { Attributes } from "./attributes.ts";
import { mastersGroup, serviceAccountsGroup, type User } from "./user.ts";

/** What somebody may do: https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/role-v1/. */
export interface PolicyRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** A RoleBinding or ClusterRoleBinding. */
export interface Binding extends KubernetesObject {
  subjects?: readonly Subject[];
  roleRef: { kind: string; name: string };
}

const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

const discoveryPaths = ["/version", "/healthz", "/livez", "/readyz", "/api", "/apis", "/openapi"];

/** What every authenticated user may do (the cluster roles system:discovery and system:basic-user). */
const everybody: readonly PolicyRule[] = [
  { verbs: ["get"], nonResourceURLs: discoveryPaths.flatMap((path) => [path, `${path}/*`]) },
  {
    verbs: ["create"],
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
  },
  { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
];

/** What every service account may read besides (system:service-account-issuer-discovery). */
const issuerDiscovery: PolicyRule = {
  verbs: ["get"],
  nonResourceURLs: ["/.well-known/openid-configuration", "/openid/v1/jwks"],
};

/**
 * The rules that say what the user may do in the namespace (empty: in all of them), from what everybody may, from
 * bindings and roles in the store. Rules add up, nothing denies
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/).
 */
export function* rulesOf(user: User, namespace: string, store: Pick<Store, "list">): Iterable<PolicyRule> {
  if (user.groups.includes(mastersGroup)) yield* everything;
  yield* everybody;
  if (user.groups.includes(serviceAccountsGroup)) yield issuerDiscovery;
  for (const binding of bindings(store, "clusterrolebindings")) {
    if (bindsTo(binding, user)) yield* roleRules(store, binding.roleRef, "");
  }
  if (namespace === "") return;
  for (const binding of bindings(store, "rolebindings", namespace)) {
    if (bindsTo(binding, user)) yield* roleRules(store, binding.roleRef, namespace);
  }
}

/** Whether the rule allows it. A `*` among the attributes is only allowed by a rule that says `*` too. */
export function covers(rule: PolicyRule, attributes: Attributes): boolean {
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

/** Which cluster roles' rules another one has, too: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles. */
interface AggregationRule {
  readonly clusterRoleSelectors?: readonly Parameters<typeof matchesSelector>[0][];
}

/** The rules of the role that a binding refers to, with those that it aggregates; none when it is not there. */
export function roleRules(
  store: Pick<Store, "list">,
  { kind, name }: Binding["roleRef"],
  namespace: string,
): readonly PolicyRule[] {
  const isCluster = kind === "ClusterRole";
  const { items } = store.list(named(isCluster ? "clusterroles" : "roles"), {
    ...(isCluster ? {} : { namespace }),
    matches: ({ metadata }) => metadata.name === name,
  });
  const [role] = items;
  const { clusterRoleSelectors: selectors = [] } = (role?.aggregationRule ?? {}) as AggregationRule;
  if (role === undefined || selectors.length === 0) return rulesIn(role);
  const matches = ({ metadata }: KubernetesObject) =>
    metadata.uid !== role.metadata.uid &&
    selectors.some((selector) => matchesSelector(selector, metadata.labels));
  const aggregated = store.list(named("clusterroles"), { matches }).items;
  return [...rulesIn(role), ...aggregated.flatMap(rulesIn)];
}

function rulesIn(role: KubernetesObject | undefined): readonly PolicyRule[] {
  return (role?.rules as readonly PolicyRule[] | undefined) ?? [];
}

/** The store's name of a resource of the group. */
function named(plural: string): string {
  return `${plural}.rbac.authorization.k8s.io`;
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

function bindings(store: Pick<Store, "list">, resource: string, namespace?: string): readonly Binding[] {
  const filter = namespace === undefined ? undefined : { namespace };
  return store.list(named(resource), filter).items as readonly Binding[];
}
