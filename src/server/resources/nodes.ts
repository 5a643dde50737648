import type { KubernetesNode, KubernetesObject } from "../../kube/types.ts";
import { admitObject } from "../../manifest/admit.ts";
import type { Resource } from "../resource.ts";
import { statusSubresource } from "../subresources/status.ts";
import { ageColumn, nameColumn, textColumn } from "../table/columns.ts";

const rolePrefix = "node-role.kubernetes.io/";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/: one object, made by the node itself. */
export const nodes: Resource = {
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  singular: "node",
  shortNames: ["no"],
  namespaced: false,
  admit: (value) => admitObject("v1/Node", value),
  verbs: ["get", "list", "patch", "update", "watch"],
  subresources: { status: statusSubresource("Node") },
  selectableFields: {
    "spec.unschedulable": (object) => String((object as KubernetesNode).spec?.unschedulable ?? false),
  },
  columns: [
    nameColumn,
    textColumn<KubernetesNode>("Status", "Whether the node can run pods.", readiness),
    textColumn<KubernetesObject>("Roles", "The node's roles, from its labels.", roles),
    ageColumn,
    textColumn<KubernetesNode>(
      "Version",
      "Version of Kubernetes that the node speaks.",
      ({ status }) => status?.nodeInfo?.kubeletVersion ?? "",
    ),
    textColumn<KubernetesNode>(
      "Internal-IP",
      "Address on the machine's own network.",
      (node) => address(node, "InternalIP"),
      { wide: true },
    ),
    textColumn<KubernetesNode>(
      "External-IP",
      "Address for the outside.",
      (node) => address(node, "ExternalIP"),
      { wide: true },
    ),
    textColumn<KubernetesNode>(
      "OS-Image",
      "Operating system.",
      ({ status }) => status?.nodeInfo?.osImage || "<unknown>",
      { wide: true },
    ),
    textColumn<KubernetesNode>(
      "Kernel-Version",
      "Kernel.",
      ({ status }) => status?.nodeInfo?.kernelVersion || "<unknown>",
      { wide: true },
    ),
    textColumn<KubernetesNode>(
      "Container-Runtime",
      "What runs the containers.",
      ({ status }) => status?.nodeInfo?.containerRuntimeVersion || "<unknown>",
      { wide: true },
    ),
  ],
};

function readiness({ spec, status }: KubernetesNode): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const word = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function roles({ metadata }: KubernetesObject): string {
  const names = Object.keys(metadata.labels ?? {})
    .filter((label) => label.startsWith(rolePrefix) && label.length > rolePrefix.length)
    .map((label) => label.slice(rolePrefix.length));
  return names.length === 0 ? "<none>" : names.sort().join(",");
}

function address({ status }: KubernetesNode, type: string): string {
  return status?.addresses?.find((entry) => entry.type === type)?.address ?? "<none>";
}
