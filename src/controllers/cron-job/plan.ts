import type { ICronJob } from "kubernetes-models/batch/v1/CronJob";
import { kubernetesTime } from "../../base/clock.ts";
import { explain } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { holds } from "../conditions.ts";
import { isFinished, type StoredJob } from "../job/job.ts";
import { controllerReference } from "../ownership.ts";
import type { Action, Plan, PlanFailure } from "../types.ts";
import { dueTime, tooMany } from "./due-time.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

/** A CronJob that the API has accepted. */
export type StoredCronJob = KubernetesObject & Required<Pick<ICronJob, "spec">> & Pick<ICronJob, "status">;

/** Annotation of a Job: which time of the schedule it is for. */
const timeAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/**
 * Starts a Job when its time has come, and deletes old ones
 * (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/). `jobs` are those it controls, also ones that
 * somebody made of its template by hand.
 */
export function planCronJob(
  cronJob: StoredCronJob,
  jobs: readonly StoredJob[],
  now: number,
  failure?: PlanFailure,
): Plan {
  const alive = jobs.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const running = alive.filter((job) => !isFinished(job));
  const said = saidOf(cronJob, alive);
  const old = outdated(cronJob, alive);
  const finish = (
    actions: readonly Action[],
    parts: {
      active?: readonly StoredJob[];
      scheduled?: number | undefined;
      wakeAt?: number | undefined;
    } = {},
  ): Plan => {
    const status = statusOf(cronJob, alive, parts.active ?? running, parts.scheduled);
    const all: readonly Action[] = [...said, ...old, ...actions, { do: "status", status }];
    return parts.wakeAt === undefined ? { actions: all } : { actions: all, wakeAt: parts.wakeAt };
  };
  if (cronJob.metadata.deletionTimestamp !== undefined || cronJob.spec.suspend === true) return finish([]);

  let schedule: Schedule;
  try {
    schedule = parseSchedule(cronJob.spec.schedule, cronJob.spec.timeZone);
  } catch (error) {
    const message = `unparseable schedule: ${JSON.stringify(cronJob.spec.schedule)} : ${explain(error)}`;
    return finish([{ do: "event", type: "Warning", reason: "UnparseableSchedule", message }]);
  }
  const { latest, missed, next: wakeAt } = dueTime(schedule, startOf(cronJob, now), now);
  if (latest === undefined || failure !== undefined) return finish([], { wakeAt });
  const many: readonly Action[] =
    missed <= tooMany
      ? []
      : [
          warning(
            "TooManyMissedTimes",
            `too many missed start times: ${missed}. Set or decrease .spec.startingDeadlineSeconds or check clock skew`,
          ),
        ];
  const { concurrencyPolicy } = cronJob.spec;
  if (concurrencyPolicy === "Forbid" && running.length > 0) {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    return finish([...many, { do: "event", type: "Normal", reason: "JobAlreadyActive", message }], {
      wakeAt,
    });
  }
  const replaced = concurrencyPolicy === "Replace" ? running.map(remove) : [];
  const name = `${cronJob.metadata.name}-${Math.floor(latest / 60_000)}`;
  const isThere = jobs.some(({ metadata }) => metadata.name === name);
  const steps = isThere ? [] : [...many, ...replaced, start(cronJob, name, latest)];
  return finish(steps, {
    scheduled: latest,
    wakeAt,
    ...(isThere ? {} : { active: replaced.length > 0 ? [] : running }),
  });
}

/** Times before this one are no more asked for: they were seen, or it is too late for them. */
function startOf({ spec, status, metadata }: StoredCronJob, now: number): number {
  const seen = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp);
  const { startingDeadlineSeconds } = spec;
  return startingDeadlineSeconds === undefined ? seen : Math.max(seen, now - startingDeadlineSeconds * 1_000);
}

function start(cronJob: StoredCronJob, name: string, time: number): Action {
  const { metadata, spec } = cronJob.spec.jobTemplate;
  return {
    do: "create",
    resource: "jobs.batch",
    object: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name,
        labels: { ...metadata?.labels },
        annotations: { ...metadata?.annotations, [timeAnnotation]: kubernetesTime(time) },
        ownerReferences: [controllerReference(cronJob)],
      },
      spec,
    },
    event: { reason: "SuccessfulCreate", message: "Created job {name}" },
    failure: { reason: "FailedCreate", message: "Error creating job: {error}" },
  };
}

/** Events about Jobs that were running when the status was written, and do not any more. */
function saidOf(cronJob: StoredCronJob, alive: readonly StoredJob[]): readonly Action[] {
  return (cronJob.status?.active ?? []).flatMap(({ uid, name }): readonly Action[] => {
    const job = alive.find(({ metadata }) => metadata.uid === uid);
    if (job === undefined) {
      return [
        { do: "event", type: "Normal", reason: "MissingJob", message: `Active job went missing: ${name}` },
      ];
    }
    if (!isFinished(job)) return [];
    const condition = holds(job.status?.conditions, "Failed") ? "Failed" : "Complete";
    const message = `Saw completed job: ${name}, condition: ${condition}`;
    return [{ do: "event", type: "Normal", reason: "SawCompletedJob", message }];
  });
}

/** Deletes finished Jobs, oldest first, but for so many as the history keeps. */
function outdated({ spec }: StoredCronJob, alive: readonly StoredJob[]): readonly Action[] {
  const ended = alive
    .filter(isFinished)
    .toSorted((a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp));
  const hasFailed = ({ status }: StoredJob) => holds(status?.conditions, "Failed");
  const beyond = (jobs: readonly StoredJob[], limit: number) =>
    jobs.slice(0, Math.max(0, jobs.length - limit));
  return [
    ...beyond(
      ended.filter((job) => !hasFailed(job)),
      spec.successfulJobsHistoryLimit ?? 3,
    ),
    ...beyond(ended.filter(hasFailed), spec.failedJobsHistoryLimit ?? 1),
  ].map(remove);
}

function remove({ metadata: { name, uid } }: StoredJob): Action {
  return {
    do: "delete",
    resource: "jobs.batch",
    name,
    uid,
    options: { propagationPolicy: "Background" },
    event: { reason: "SuccessfulDelete", message: "Deleted job {name}" },
  };
}

function warning(reason: string, message: string): Action {
  return { do: "event", type: "Warning", reason, message };
}

function statusOf(
  { status, metadata }: StoredCronJob,
  alive: readonly StoredJob[],
  active: readonly StoredJob[],
  scheduled: number | undefined,
): object {
  const lastScheduleTime = scheduled === undefined ? status?.lastScheduleTime : kubernetesTime(scheduled);
  const ends = alive.map(({ status: job }) => job?.completionTime).filter((end) => end !== undefined);
  const lastSuccessfulTime = [
    ...ends,
    ...(status?.lastSuccessfulTime === undefined ? [] : [status.lastSuccessfulTime]),
  ]
    .toSorted()
    .at(-1);
  return {
    ...(active.length === 0
      ? {}
      : {
          active: active.map((job) => ({
            kind: job.kind,
            apiVersion: job.apiVersion,
            namespace: metadata.namespace,
            name: job.metadata.name,
            uid: job.metadata.uid,
          })),
        }),
    ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
    ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
  };
}
