import type { IControllerRevision } from "kubernetes-models/apps/v1/ControllerRevision";
import type { IDaemonSet } from "kubernetes-models/apps/v1/DaemonSet";
import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IReplicaSet } from "kubernetes-models/apps/v1/ReplicaSet";
import type { IStatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import type { IPodTemplate } from "kubernetes-models/v1/PodTemplate";
import type { Resource } from "../resource.ts";
import { scaleSubresource } from "../subresources/scale.ts";
import {
  ageColumn,
  countColumn,
  labelsText,
  nameColumn,
  selectorText,
  textColumn,
} from "../table/columns.ts";
import { podColumns } from "../table/pod-columns.ts";
import { stored } from "./stored.ts";

const deployments = stored({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  hasStatus: true,
  subresources: { scale: scaleSubresource },
  columns: [
    nameColumn,
    textColumn<IDeployment>(
      "Ready",
      "Ready pods of all wanted.",
      ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    ),
    countColumn<IDeployment>(
      "Up-to-date",
      "Pods of the newest template.",
      ({ status }) => status?.updatedReplicas ?? 0,
    ),
    countColumn<IDeployment>(
      "Available",
      "Pods ready for long enough.",
      ({ status }) => status?.availableReplicas ?? 0,
    ),
    ageColumn,
    ...podColumns<IDeployment>(
      ({ spec }) => spec?.template?.spec,
      ({ spec }) => selectorText(spec?.selector),
    ),
  ],
});

const replicaSets = stored({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  hasStatus: true,
  subresources: { scale: scaleSubresource },
  selectableFields: {
    "status.replicas": (object) => String((object as unknown as IReplicaSet).status?.replicas ?? 0),
  },
  columns: [
    nameColumn,
    countColumn<IReplicaSet>("Desired", "Pods wanted.", ({ spec }) => spec?.replicas ?? 0),
    countColumn<IReplicaSet>("Current", "Pods there.", ({ status }) => status?.replicas ?? 0),
    countColumn<IReplicaSet>("Ready", "Pods ready.", ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    ...podColumns<IReplicaSet>(
      ({ spec }) => spec?.template?.spec,
      ({ spec }) => selectorText(spec?.selector),
    ),
  ],
});

const statefulSets = stored({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  shortNames: ["sts"],
  categories: ["all"],
  hasStatus: true,
  subresources: { scale: scaleSubresource },
  columns: [
    nameColumn,
    textColumn<IStatefulSet>(
      "Ready",
      "Ready pods of all wanted.",
      ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    ),
    ageColumn,
    ...podColumns<IStatefulSet>(({ spec }) => spec?.template?.spec),
  ],
});

const daemonSets = stored({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  shortNames: ["ds"],
  categories: ["all"],
  hasStatus: true,
  columns: [
    nameColumn,
    countColumn<IDaemonSet>(
      "Desired",
      "Nodes that should run it.",
      ({ status }) => status?.desiredNumberScheduled ?? 0,
    ),
    countColumn<IDaemonSet>(
      "Current",
      "Nodes that run it.",
      ({ status }) => status?.currentNumberScheduled ?? 0,
    ),
    countColumn<IDaemonSet>("Ready", "Pods ready.", ({ status }) => status?.numberReady ?? 0),
    countColumn<IDaemonSet>(
      "Up-to-date",
      "Pods of the newest template.",
      ({ status }) => status?.updatedNumberScheduled ?? 0,
    ),
    countColumn<IDaemonSet>(
      "Available",
      "Pods ready for long enough.",
      ({ status }) => status?.numberAvailable ?? 0,
    ),
    textColumn<IDaemonSet>("Node Selector", "Which nodes run it.", ({ spec }) =>
      labelsText(spec?.template?.spec?.nodeSelector),
    ),
    ageColumn,
    ...podColumns<IDaemonSet>(
      ({ spec }) => spec?.template?.spec,
      ({ spec }) => selectorText(spec?.selector),
    ),
  ],
});

const controllerRevisions = stored({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  columns: [
    nameColumn,
    textColumn<IControllerRevision>("Controller", "Whose revision it is.", ({ metadata }) => {
      const owner = metadata?.ownerReferences?.find(({ controller }) => controller === true);
      if (owner === undefined) return "<none>";
      const [owningGroup] = owner.apiVersion.includes("/") ? owner.apiVersion.split("/") : [""];
      return `${owner.kind.toLowerCase()}${owningGroup === "" ? "" : `.${owningGroup}`}/${owner.name}`;
    }),
    countColumn<IControllerRevision>("Revision", "Its number.", ({ revision }) => revision),
    ageColumn,
  ],
});

const podTemplates = stored({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  deleteReturnsObject: true,
  columns: [
    nameColumn,
    textColumn<IPodTemplate>("Containers", "Names of the containers.", ({ template }) =>
      (template?.spec?.containers ?? []).map(({ name }) => name).join(","),
    ),
    textColumn<IPodTemplate>("Images", "Images of the containers.", ({ template }) =>
      (template?.spec?.containers ?? []).map(({ image }) => image ?? "").join(","),
    ),
    textColumn<IPodTemplate>("Pod Labels", "Labels of its pods.", ({ template }) =>
      labelsText(template?.metadata?.labels),
    ),
  ],
});

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/ but for pods and jobs. */
export const workloadResources: readonly Resource[] = [
  deployments,
  replicaSets,
  statefulSets,
  daemonSets,
  controllerRevisions,
  podTemplates,
];
