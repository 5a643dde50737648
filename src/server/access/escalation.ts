import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { ApiRequest } from "../request.ts";
import { isAllowed, rulesBeyond } from "./authorize.ts";
import { type Binding, type PolicyRule, roleRules } from "./policy-rules.ts";

const group = "rbac.authorization.k8s.io";

/**
 * Refuses a role that grants what the writer may not do himself, unless he has the verb `escalate`
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping).
 */
export function refuseEscalation(role: KubernetesObject, request: ApiRequest): void {
  if (maySpecially(request, request.resource.plural, "escalate", role.metadata.name)) return;
  // What an aggregated role will have, nobody knows yet: only who has everything may make one.
  const anything =
    role.aggregationRule === undefined ? [] : [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }];
  refuseBeyond(role, [...((role.rules ?? []) as readonly PolicyRule[]), ...anything], request);
}

/** Refuses a binding to a role that grants what the writer may not do himself, unless he has the verb `bind`. */
export function refuseEscalatingBinding(object: KubernetesObject, request: ApiRequest): void {
  const { roleRef } = object as Binding;
  const plural = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
  if (maySpecially(request, plural, "bind", roleRef.name)) return;
  refuseBeyond(object, roleRules(request.context.store, roleRef, request.namespace), request);
}

function maySpecially(request: ApiRequest, resource: string, verb: string, name: string): boolean {
  const { user, namespace, context } = request;
  return isAllowed(user, { kind: "resource", verb, group, resource, namespace, name }, context.store);
}

function refuseBeyond(object: KubernetesObject, rules: readonly PolicyRule[], request: ApiRequest): void {
  const { user, namespace, context, resource } = request;
  const beyond = rulesBeyond(user, rules, namespace, context.store);
  if (beyond.length === 0) return;
  const { name } = object.metadata;
  throw new PeapodError(
    "Forbidden",
    `${resource.plural}.${group} ${JSON.stringify(name)} is forbidden: user ${JSON.stringify(user.name)} (groups=${JSON.stringify(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${beyond.map((rule) => JSON.stringify(rule)).join("\n")}`,
    { details: { name, group, kind: resource.plural } },
  );
}
