import { randomUUID } from "node:crypto";
import type { ICronJob } from "kubernetes-models/batch/v1/CronJob";
import type { IJob } from "kubernetes-models/batch/v1/Job";
import type { KubernetesObject } from "../../kube/types.ts";
import type { Resource } from "../resource.ts";
import { ageColumn, countColumn, nameColumn, selectorText, textColumn } from "../table/columns.ts";
import { humanDuration, timeSince } from "../table/human-duration.ts";
import { podColumns } from "../table/pod-columns.ts";
import { stored } from "./stored.ts";

const jobs = stored({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  categories: ["all"],
  hasStatus: true,
  prepareForCreate: selectOwnPods,
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

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/ and what makes them. */
export const jobResources: readonly Resource[] = [jobs, cronJobs];

/**
 * A Job selects its pods by its own uid, unless it says otherwise
 * (https://kubernetes.io/docs/concepts/workloads/controllers/job/#specifying-your-own-pod-selector).
 */
function selectOwnPods(object: KubernetesObject): void {
  const { metadata, spec } = object as KubernetesObject & IJob;
  if (spec === undefined || spec.manualSelector === true) return;
  const uid = randomUUID();
  metadata.uid = uid;
  spec.selector = { matchLabels: { "batch.kubernetes.io/controller-uid": uid } };
  spec.template.metadata = {
    ...spec.template.metadata,
    labels: {
      ...spec.template.metadata?.labels,
      "batch.kubernetes.io/controller-uid": uid,
      "batch.kubernetes.io/job-name": metadata.name,
      "controller-uid": uid,
      "job-name": metadata.name,
    },
  };
}

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
