import type { IReplicationController } from "kubernetes-models/v1/ReplicationController";
import { scaleSubresource } from "../subresources/scale.ts";
import { ageColumn, countColumn, nameColumn, selectorText } from "../table/columns.ts";
import { podColumns } from "../table/pod-columns.ts";
import { stored } from "./stored.ts";

/**
 * https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/: the ReplicaSet's predecessor. kubectl
 * asks every cluster for it: `cluster-info dump`, `apply --prune` and `drain` fail where it is unknown.
 */
export const replicationControllers = stored({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  shortNames: ["rc"],
  categories: ["all"],
  hasStatus: true,
  subresources: { scale: scaleSubresource },
  selectableFields: {
    "status.replicas": (object) =>
      String((object as unknown as IReplicationController).status?.replicas ?? 0),
  },
  columns: [
    nameColumn,
    countColumn<IReplicationController>("Desired", "Pods wanted.", ({ spec }) => spec?.replicas ?? 0),
    countColumn<IReplicationController>("Current", "Pods there.", ({ status }) => status?.replicas ?? 0),
    countColumn<IReplicationController>("Ready", "Pods ready.", ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    ...podColumns<IReplicationController>(
      ({ spec }) => spec?.template?.spec,
      ({ spec }) => selectorText({ matchLabels: spec?.selector ?? {} }),
    ),
  ],
});
