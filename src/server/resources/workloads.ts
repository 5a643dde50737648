import type { IControllerRevision } from "kubernetes-models/apps/v1/ControllerRevision";
import type { IDaemonSet } from "kubernetes-models/apps/v1/DaemonSet";
import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IReplicaSet } from "kubernetes-models/apps/v1/ReplicaSet";
import type { IStatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import type { ICronJob } from "kubernetes-models/batch/v1/CronJob";
import type { IJob } from "kubernetes-models/batch/v1/Job";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type { IPodTemplate } from "kubernetes-models/v1/PodTemplate";
import type { Column, Resource } from "../resource.ts";
import { scaleSubresource } from "../subresources/scale.ts";
import {
  ageColumn,
  countColumn,
  labelsText,
  nameColumn,
  selectorText,
  textColumn,
} from "../table/columns.ts";
import { humanDuration, timeSince } from "../table/human-duration.ts";
import { stored } from "./stored.ts";

const notice = (kind: string) =>
  `${kind} is stored but not honoured yet by this version of Peapod: no controller makes pods of it`;

/** The containers, images and selector of `-o wide`. */
function podColumns<T>(
  spec: (object: T) => IPodSpec | undefined,
  selector?: (object: T) => string,
): Column[] {
  const list = (object: T, part: "name" | "image") =>
    (spec(object)?.containers ?? []).map((container) => container[part] ?? "").join(",");
  const columns = [
    textColumn<T>("Containers", "Names of the containers.", (object) => list(object, "name"), { wide: true }),
    textColumn<T>("Images", "Images of the containers.", (object) => list(object, "image"), { wide: true }),
  ];
  if (selector === undefined) return columns;
  return [...columns, textColumn<T>("Selector", "Which pods are its own.", selector, { wide: true })];
}

const deployments = stored({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  hasStatus: true,
  subresources: { scale: scaleSubresource },
  notice: notice("Deployment"),
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
  notice: notice("ReplicaSet"),
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
  notice: notice("StatefulSet"),
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
  notice: notice("DaemonSet"),
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

const jobs = stored({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  categories: ["all"],
  hasStatus: true,
  notice: notice("Job"),
  selectableFields: {
    "status.successful": (object) => String((object as unknown as IJob).status?.succeeded ?? 0),
  },
  columns: [
    nameColumn,
    textColumn<IJob>("Status", "How far it is.", jobState),
    textColumn<IJob>("Completions", "Pods that succeeded of all wanted.", jobCompletions),
    textColumn<IJob>("Duration", "How long it runs or ran.", jobDuration),
    ageColumn,
    ...podColumns<IJob>(
      ({ spec }) => spec?.template?.spec,
      ({ spec }) => selectorText(spec?.selector),
    ),
  ],
});

const cronJobs = stored({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  shortNames: ["cj"],
  categories: ["all"],
  hasStatus: true,
  notice: notice("CronJob"),
  columns: [
    nameColumn,
    textColumn<ICronJob>("Schedule", "When it runs.", ({ spec }) => spec?.schedule ?? ""),
    textColumn<ICronJob>(
      "Timezone",
      "Whose time the schedule is in.",
      ({ spec }) => spec?.timeZone ?? "<none>",
    ),
    textColumn<ICronJob>("Suspend", "Whether it is held back.", ({ spec }) =>
      spec?.suspend === true ? "True" : "False",
    ),
    countColumn<ICronJob>("Active", "Jobs that run now.", ({ status }) => status?.active?.length ?? 0),
    textColumn<ICronJob>("Last Schedule", "When it ran last.", ({ status }, now) =>
      status?.lastScheduleTime === undefined ? "<none>" : timeSince(status.lastScheduleTime, now),
    ),
    ageColumn,
    ...podColumns<ICronJob>(
      ({ spec }) => spec?.jobTemplate?.spec?.template?.spec,
      ({ spec }) => selectorText(spec?.jobTemplate?.spec?.selector),
    ),
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

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/ but for pods */
export const workloadResources: readonly Resource[] = [
  deployments,
  replicaSets,
  statefulSets,
  daemonSets,
  controllerRevisions,
  jobs,
  cronJobs,
  podTemplates,
];

function jobState({ metadata, spec, status }: IJob): string {
  const isTrue = (type: string) =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
  if (isTrue("Complete")) return "Complete";
  if (isTrue("Failed")) return "Failed";
  if (metadata?.deletionTimestamp !== undefined) return "Terminating";
  if (isTrue("Suspended") || spec?.suspend === true) return "Suspended";
  if (isTrue("FailureTarget")) return "FailureTarget";
  return isTrue("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

function jobCompletions({ spec, status }: IJob): string {
  const done = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${done}/${spec.completions}`;
  const parallel = spec?.parallelism ?? 0;
  return parallel > 1 ? `${done}/1 of ${parallel}` : `${done}/1`;
}

function jobDuration({ status }: IJob, now: number): string {
  if (status?.startTime === undefined) return "";
  const end = status.completionTime === undefined ? now : Date.parse(status.completionTime);
  return humanDuration(end - Date.parse(status.startTime));
}
