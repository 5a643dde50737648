import type { IClusterRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole";
import type { IRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding";
import { childPath, itemPath } from "../../kube/field-path.ts";
import { pathSegmentProblems } from "../../kube/names.ts";
import { notSupported, type Problem, required } from "../problems.ts";
import { type KindRules, kindRules } from "./rules.ts";

const rbacGroup = "rbac.authorization.k8s.io";

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
const role = kindRules<IClusterRole>({
  nameProblems: pathSegmentProblems,
  validate: ({ rules }) =>
    (rules ?? []).flatMap((rule, index) => {
      const field = itemPath("rules", index);
      const problems: Problem[] = [];
      if ((rule.verbs ?? []).length === 0) {
        problems.push(required(childPath(field, "verbs"), "verbs must contain at least one value"));
      }
      if ((rule.nonResourceURLs ?? []).length > 0) return problems;
      if ((rule.apiGroups ?? []).length === 0) {
        problems.push(
          required(childPath(field, "apiGroups"), "resource rules must supply at least one api group"),
        );
      }
      if ((rule.resources ?? []).length === 0) {
        problems.push(
          required(childPath(field, "resources"), "resource rules must supply at least one resource"),
        );
      }
      return problems;
    }),
});

const binding = kindRules<IRoleBinding>({
  nameProblems: pathSegmentProblems,
  immutable: ["roleRef"],
  setDefaults: ({ roleRef, subjects }) => {
    if (roleRef !== undefined && !roleRef.apiGroup) roleRef.apiGroup = rbacGroup;
    for (const subject of subjects ?? []) {
      if (subject.kind !== "ServiceAccount" && !subject.apiGroup) subject.apiGroup = rbacGroup;
    }
  },
  validate: ({ roleRef, subjects }) => [
    ...(roleRef === undefined || ["Role", "ClusterRole"].includes(roleRef.kind)
      ? []
      : [notSupported("roleRef.kind", roleRef.kind, ["Role", "ClusterRole"])]),
    ...(subjects ?? []).flatMap(({ kind }, index) =>
      ["ServiceAccount", "User", "Group"].includes(kind)
        ? []
        : [notSupported(`${itemPath("subjects", index)}.kind`, kind, ["ServiceAccount", "User", "Group"])],
    ),
  ],
});

/** Rules of the kinds that say who may do what, by `apiVersion/kind`. */
export const accessRules: Readonly<Record<string, KindRules>> = {
  "v1/ServiceAccount": {},
  [`${rbacGroup}/v1/Role`]: role,
  [`${rbacGroup}/v1/ClusterRole`]: role,
  [`${rbacGroup}/v1/RoleBinding`]: binding,
  [`${rbacGroup}/v1/ClusterRoleBinding`]: binding,
};
