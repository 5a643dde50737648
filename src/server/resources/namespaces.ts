import { kubernetesTime } from "../../base/clock.ts";
import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject, Namespace } from "../../kube/types.ts";
import { admitObject } from "../../manifest/admit.ts";
import { ensureNamespaceDefaults } from "../namespace-defaults.ts";
import type { DeleteOptions, Resource } from "../resource.ts";
import { statusSubresource } from "../subresources/status.ts";
import { ageColumn, nameColumn, textColumn } from "../table/columns.ts";

/** Namespaces that are always there. */
export const permanentNamespaces = ["default", "kube-system"];

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/ */
export const namespaces: Resource = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  singular: "namespace",
  shortNames: ["ns"],
  namespaced: false,
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  subresources: { status: statusSubresource("Namespace") },
  deleteReturnsObject: true,
  admit: (value) => admitObject("v1/Namespace", value),
  prepareForCreate: (object) => activate(object as Namespace),
  checkUpdate: keepOwn,
  afterCreate: ({ metadata }, context) => ensureNamespaceDefaults(context, metadata.name),
  awaitDeletion: terminate,
  selectableFields: { "status.phase": (object) => (object as Namespace).status?.phase ?? "" },
  columns: [
    nameColumn,
    textColumn<Namespace>(
      "Status",
      "Active, or Terminating while it is being emptied.",
      ({ status }) => status?.phase ?? "",
    ),
    ageColumn,
  ],
};

function activate(namespace: Namespace): void {
  // The label by which selectors name a namespace, and the finalizer that keeps it until it is empty.
  const { metadata } = namespace;
  if (metadata !== undefined) {
    metadata.labels = { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name ?? "" };
  }
  namespace.spec = { finalizers: ["kubernetes"] };
  namespace.status = { phase: "Active" };
}

/** The label by which selectors name it, and what keeps it until it is empty, are not the writer's to change. */
function keepOwn(next: KubernetesObject, current: KubernetesObject): void {
  next.metadata.labels = { ...next.metadata.labels, "kubernetes.io/metadata.name": current.metadata.name };
  next.spec = current.spec;
}

/** Marks the namespace; the namespace finalizer empties and removes it. */
function terminate(current: KubernetesObject, _options: DeleteOptions, now: number): KubernetesObject {
  const { name } = current.metadata;
  if (permanentNamespaces.includes(name)) {
    throw new PeapodError(
      "Forbidden",
      `namespaces ${JSON.stringify(name)} is forbidden: this namespace may not be deleted`,
      {
        details: { name, kind: "namespaces" },
      },
    );
  }
  const deletionTimestamp = current.metadata.deletionTimestamp ?? kubernetesTime(now);
  return {
    ...current,
    metadata: { ...current.metadata, deletionTimestamp },
    status: { ...(current as Namespace).status, phase: "Terminating" },
  };
}
