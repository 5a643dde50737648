import { isConflict } from "../../base/errors.ts";
import type { ApiContext } from "../request.ts";
import type { Resource } from "../resource.ts";
import type { PolicyRule } from "./policy-rules.ts";

const group = "rbac.authorization.k8s.io";
const reading = ["get", "list", "watch"];
const writing = ["create", "delete", "deletecollection", "patch", "update"];

/** What only shows the state of things, to whoever may write the rest. */
const readOnlyKinds = ["Namespace", "Event", "LimitRange", "ResourceQuota"];

/**
 * The cluster roles that people bind others to: `cluster-admin`, `admin`, `edit` and `view`, over the resources that
 * this server has (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles). Missing ones are
 * made, present ones brought up to date.
 */
export function ensureDefaultRoles({ store, resources }: Pick<ApiContext, "store" | "resources">): void {
  for (const [name, rules] of Object.entries(defaultRoles(resources))) {
    const labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
    const role = {
      apiVersion: `${group}/v1`,
      kind: "ClusterRole",
      metadata: { name, labels },
      ...aggregating(name),
      rules,
    };
    try {
      store.create(`clusterroles.${group}`, role);
    } catch (error) {
      if (!isConflict(error)) throw error;
      const key = { resource: `clusterroles.${group}`, namespace: "", name };
      store.update(key, (current) => ({ ...current, ...aggregating(name), rules }));
    }
  }
}

/** Others add to these roles by a label, as charts do for the kinds that they bring. */
function aggregating(name: string): object {
  if (name === "cluster-admin") return {};
  const weaker = ["view", "edit", "admin"].slice(0, ["view", "edit", "admin"].indexOf(name) + 1);
  const clusterRoleSelectors = weaker.map((role) => ({
    matchLabels: { [`${group}/aggregate-to-${role}`]: "true" },
  }));
  return { aggregationRule: { clusterRoleSelectors } };
}

function defaultRoles(resources: readonly Resource[]): Record<string, readonly PolicyRule[]> {
  const shown = resources.filter(
    ({ namespaced, kind, group: own }) =>
      (namespaced && kind !== "Secret" && own !== group) || kind === "Namespace",
  );
  const isStream = (name: string) => ["exec", "attach", "portforward", "proxy", "token"].includes(name);
  const view = rulesOver(shown, reading, (name) => !isStream(name));
  const secrets = { apiGroups: [""], resources: ["secrets"], verbs: [...reading, ...writing] };
  const edit = [
    ...view,
    secrets,
    ...rulesOver(
      shown.filter(({ kind, verbs }) => !readOnlyKinds.includes(kind) && verbs.includes("create")),
      writing,
      (name) => name !== "status",
    ),
  ];
  const admin = [
    ...edit,
    { apiGroups: [group], resources: ["roles", "rolebindings"], verbs: [...reading, ...writing] },
  ];
  const everything = [
    { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
    { nonResourceURLs: ["*"], verbs: ["*"] },
  ];
  return { "cluster-admin": everything, admin, edit, view };
}

/** One rule for each group, over its resources and those of their subresources that are meant. */
function rulesOver(
  resources: readonly Resource[],
  verbs: readonly string[],
  isMeant: (subresource: string) => boolean,
): PolicyRule[] {
  return [...Map.groupBy(resources, (resource) => resource.group)].map(([apiGroup, members]) => ({
    apiGroups: [apiGroup],
    resources: members.flatMap(({ plural, subresources }) => [
      plural,
      ...Object.keys(subresources)
        .filter(isMeant)
        .map((name) => `${plural}/${name}`),
    ]),
    verbs,
  }));
}
