import { PeapodError } from "../../base/errors.ts";
import type { Store } from "../../store/types.ts";
import type { Attributes } from "./attributes.ts";
import { covers, type PolicyRule, rulesOf } from "./policy-rules.ts";
import type { User } from "./user.ts";

/** Whether the user may do it by RBAC (https://kubernetes.io/docs/reference/access-authn-authz/rbac/). */
export function isAllowed(user: User, attributes: Attributes, store: Pick<Store, "list">): boolean {
  const namespace = attributes.kind === "path" ? "" : attributes.namespace;
  for (const rule of rulesOf(user, namespace, store)) if (covers(rule, attributes)) return true;
  return false;
}

/** Throws Forbidden in the API server's words unless the user may do it. */
export function authorize(user: User, attributes: Attributes, store: Pick<Store, "list">): void {
  if (isAllowed(user, attributes, store)) return;
  throw new PeapodError("Forbidden", refusal(user, attributes));
}

/** Those of the rules that the user is not allowed himself in the namespace (empty: in all of them). */
export function rulesBeyond(
  user: User,
  rules: readonly PolicyRule[],
  namespace: string,
  store: Pick<Store, "list">,
): readonly PolicyRule[] {
  const held = [...rulesOf(user, namespace, store)];
  return rules.filter((rule) =>
    everyRight(rule).some((right) => !held.some((candidate) => covers(candidate, right))),
  );
}

/** What a rule grants, one by one. */
function everyRight(rule: PolicyRule): Attributes[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const names = resourceNames.length === 0 ? [""] : resourceNames;
  return verbs.flatMap((verb) => [
    ...nonResourceURLs.map((path): Attributes => ({ kind: "path", verb, path })),
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        names.map((name): Attributes => ({ kind: "resource", verb, group, resource, namespace: "", name })),
      ),
    ),
  ]);
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
