import type { IRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding";
import { refuseEscalatingBinding, refuseEscalation } from "../access/escalation.ts";
import type { Resource } from "../resource.ts";
import { ageColumn, createdAtColumn, nameColumn, textColumn } from "../table/columns.ts";
import { type Declaration, stored } from "./stored.ts";

const group = "rbac.authorization.k8s.io";

const bindingColumns = [
  nameColumn,
  textColumn<IRoleBinding>("Role", "What is granted.", ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  textColumn<IRoleBinding>("Users", "Users who get it.", (binding) => subjects(binding, "User"), {
    wide: true,
  }),
  textColumn<IRoleBinding>("Groups", "Groups who get it.", (binding) => subjects(binding, "Group"), {
    wide: true,
  }),
  textColumn<IRoleBinding>(
    "ServiceAccounts",
    "Service accounts that get it.",
    (binding) => subjects(binding, "ServiceAccount"),
    { wide: true },
  ),
];

const kinds: readonly Omit<Declaration, "group" | "version">[] = [
  { kind: "Role", plural: "roles", authorizeWrite: refuseEscalation, columns: [nameColumn, createdAtColumn] },
  {
    kind: "RoleBinding",
    plural: "rolebindings",
    authorizeWrite: refuseEscalatingBinding,
    columns: bindingColumns,
  },
  {
    kind: "ClusterRole",
    plural: "clusterroles",
    authorizeWrite: refuseEscalation,
    namespaced: false,
    columns: [nameColumn, createdAtColumn],
  },
  {
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    authorizeWrite: refuseEscalatingBinding,
    namespaced: false,
    columns: bindingColumns,
  },
];

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/ */
export const accessResources: readonly Resource[] = kinds.map((kind) =>
  stored({ group, version: "v1", ...kind }),
);

function subjects(binding: IRoleBinding, kind: string): string {
  return (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");
}
