import type { KubernetesObject } from "../../kube/types.ts";
import type { StoredJob } from "../job/job.ts";
import { controllerOf, ownersOf } from "../ownership.ts";
import type { Controller } from "../types.ts";
import { planCronJob, type StoredCronJob } from "./plan.ts";

const resource = "cronjobs.batch";
const jobs = "jobs.batch";

/** https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ */
export const cronJobController: Controller = {
  name: "cronjob-controller",
  resource,
  follows: { [jobs]: ownersOf("CronJob", resource, () => undefined) },
  plan: (object, objects, now, failure) => {
    const { namespace = "", uid } = object.metadata;
    const isOwn = (job: KubernetesObject) => controllerOf(job)?.uid === uid;
    const own = objects.list(jobs, { namespace, matches: isOwn }).items as readonly StoredJob[];
    return planCronJob(object as StoredCronJob, own, now, failure);
  },
};
