import type { IDaemonSet } from "kubernetes-models/apps/v1/DaemonSet";
import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IReplicaSet } from "kubernetes-models/apps/v1/ReplicaSet";
import type { IStatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import type { ICronJob } from "kubernetes-models/batch/v1/CronJob";
import type { IJob } from "kubernetes-models/batch/v1/Job";
import type { IJobSpec } from "kubernetes-models/batch/v1/JobSpec";
import type { IPodTemplate } from "kubernetes-models/v1/PodTemplate";
import type { IReplicationController } from "kubernetes-models/v1/ReplicationController";
import { invalid, notSupported, type Problem, required } from "../problems.ts";
import { notNegative } from "../validate/values.ts";
import { defaultTemplate, validateTemplate } from "./pod-template.ts";
import { type KindRules, kindRules } from "./rules.ts";

// Defaults: SetDefaults_* of https://pkg.go.dev/k8s.io/kubernetes/pkg/apis/apps/v1 and …/batch/v1.

const deployment = kindRules<IDeployment>({
  immutable: ["spec.selector"],
  setDefaults: ({ spec }) => {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    spec.strategy ??= {};
    spec.strategy.type ??= "RollingUpdate";
    if (spec.strategy.type === "RollingUpdate") {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
      spec.strategy.rollingUpdate.maxSurge ??= "25%";
    }
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    defaultTemplate(spec.template);
  },
  validate: ({ spec }) => [...validateWorkload(spec, ["Always"]), ...replicas(spec?.replicas)],
});

const replicaSet = kindRules<IReplicaSet>({
  immutable: ["spec.selector"],
  setDefaults: ({ spec }) => {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    defaultTemplate(spec.template);
  },
  validate: ({ spec }) => [...validateWorkload(spec, ["Always"]), ...replicas(spec?.replicas)],
});

const statefulSet = kindRules<IStatefulSet>({
  immutable: ["spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"],
  setDefaults: ({ spec }) => {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    spec.podManagementPolicy ??= "OrderedReady";
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.partition ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ??= "Retain";
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ??= "Retain";
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion ??= "v1";
      claim.kind ??= "PersistentVolumeClaim";
      if (claim.spec !== undefined) claim.spec.volumeMode ??= "Filesystem";
    }
    defaultTemplate(spec.template);
  },
  validate: ({ spec }) => [
    ...validateWorkload(
      spec,
      ["Always"],
      (spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name ?? ""),
    ),
    ...replicas(spec?.replicas),
  ],
});

const daemonSet = kindRules<IDaemonSet>({
  immutable: ["spec.selector"],
  setDefaults: ({ spec }) => {
    if (spec === undefined) return;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    defaultTemplate(spec.template);
  },
  validate: ({ spec }) => validateWorkload(spec, ["Always"]),
});

const replicationController = kindRules<IReplicationController>({
  setDefaults: ({ spec }) => {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    const labels = spec.template?.metadata?.labels;
    if (labels !== undefined) spec.selector ??= { ...labels };
    defaultTemplate(spec.template);
  },
  validate: ({ spec }) => validateTemplate("spec.template", spec?.template),
});

const job = kindRules<IJob>({
  immutable: ["spec.selector", "spec.template", "spec.completionMode"],
  setDefaults: ({ spec }) => defaultJob(spec),
  validate: ({ spec }) => (spec === undefined ? [required("spec")] : validateJob("spec", spec)),
});

const cronJob = kindRules<ICronJob>({
  setDefaults: ({ spec }) => {
    if (spec === undefined) return;
    spec.concurrencyPolicy ??= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    // A Job's own defaults come when the Job is made; the template's pod has them now.
    defaultTemplate(spec.jobTemplate?.spec?.template);
  },
  validate: ({ spec }) => {
    if (spec === undefined) return [required("spec")];
    const schedule = spec.schedule ?? "";
    const problems: Problem[] = [];
    if (schedule === "") problems.push(required("spec.schedule"));
    else if (!isSchedule(schedule)) {
      problems.push(
        invalid("spec.schedule", schedule, "must be a cron schedule of five fields, or @daily and the like"),
      );
    }
    const jobSpec = spec.jobTemplate?.spec;
    return jobSpec === undefined ? problems : [...problems, ...validateJob("spec.jobTemplate.spec", jobSpec)];
  },
});

const podTemplate = kindRules<IPodTemplate>({
  setDefaults: ({ template }) => defaultTemplate(template),
  validate: ({ template }) => validateTemplate("template", template),
});

/** Rules of the kinds that make pods, by `apiVersion/kind`. */
export const workloadRules: Readonly<Record<string, KindRules>> = {
  "apps/v1/Deployment": deployment,
  "apps/v1/ReplicaSet": replicaSet,
  "apps/v1/StatefulSet": statefulSet,
  "apps/v1/DaemonSet": daemonSet,
  "apps/v1/ControllerRevision": {},
  "batch/v1/Job": job,
  "batch/v1/CronJob": cronJob,
  "v1/ReplicationController": replicationController,
  "v1/PodTemplate": podTemplate,
};

type WorkloadSpec = NonNullable<IReplicaSet["spec"]>;

/** A selector that selects the template's own pods, and a template that such a kind can keep running. */
function validateWorkload(
  spec: WorkloadSpec | undefined,
  restartPolicies: readonly string[],
  claimed: readonly string[] = [],
): Problem[] {
  if (spec === undefined) return [required("spec")];
  const problems: Problem[] = [];
  const selector = spec.selector as WorkloadSpec["selector"] | undefined;
  const wanted = Object.entries(selector?.matchLabels ?? {});
  if (selector === undefined) problems.push(required("spec.selector"));
  else if (wanted.length === 0 && (selector.matchExpressions ?? []).length === 0) {
    problems.push(invalid("spec.selector", selector, "empty selector is invalid for deployment"));
  }
  const labels = spec.template?.metadata?.labels ?? {};
  if (wanted.some(([key, value]) => labels[key] !== value)) {
    problems.push(
      invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"),
    );
  }
  if (spec.template === undefined) return [...problems, required("spec.template")];
  return [
    ...problems,
    ...validateTemplate("spec.template", spec.template, claimed),
    ...restartPolicy("spec.template.spec.restartPolicy", spec.template.spec?.restartPolicy, restartPolicies),
  ];
}

function defaultJob(spec: IJobSpec | undefined): void {
  if (spec === undefined) return;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  defaultTemplate(spec.template);
}

function validateJob(field: string, spec: IJobSpec): Problem[] {
  if (spec.template === undefined) return [required(`${field}.template`)];
  // A pod's own default, Always, is none of a Job's: it must be said.
  const policy = spec.template.spec?.restartPolicy;
  return [
    ...notNegative(`${field}.completions`, spec.completions),
    ...notNegative(`${field}.parallelism`, spec.parallelism),
    ...notNegative(`${field}.backoffLimit`, spec.backoffLimit),
    ...validateTemplate(`${field}.template`, spec.template),
    ...restartPolicy(`${field}.template.spec.restartPolicy`, policy, ["OnFailure", "Never"]),
  ];
}

function restartPolicy(field: string, value: string | undefined, allowed: readonly string[]): Problem[] {
  return value === undefined || allowed.includes(value) ? [] : [notSupported(field, value, allowed)];
}

function replicas(value: number | undefined): Problem[] {
  return notNegative("spec.replicas", value);
}

/** Five fields, or a name: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax. */
function isSchedule(text: string): boolean {
  if (/^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)$/.test(text)) return true;
  const fields = text.trim().split(/\s+/);
  return fields.length === 5 && fields.every((field) => /^[\w*/?,#-]+$/.test(field));
}
