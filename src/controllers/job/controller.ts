import { ownersOf } from "../ownership.ts";
import { podsNear } from "../pods.ts";
import type { Controller } from "../types.ts";
import type { StoredJob } from "./job.ts";
import { planJob } from "./plan.ts";

const resource = "jobs.batch";

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/ and what deletes finished ones in time. */
export const jobController: Controller = {
  name: "job-controller",
  resource,
  follows: { pods: ownersOf("Job", resource, (job) => (job as StoredJob).spec.selector) },
  plan: (object, objects, now) => {
    const job = object as StoredJob;
    // Of another controller's: https://kubernetes.io/docs/concepts/workloads/controllers/job/#delegation-of-managing-a-job-object-to-external-controller
    const { managedBy = "kubernetes.io/job-controller", selector } = job.spec;
    if (managedBy !== "kubernetes.io/job-controller") return { actions: [] };
    return planJob(job, podsNear(job, selector, objects), now);
  },
};
