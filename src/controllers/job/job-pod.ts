import type { Container, PodTemplateSpec } from "../../kube/types.ts";
import { podOf } from "../pods.ts";
import type { Action } from "../types.ts";
import { indexAnnotation, type StoredJob } from "./job.ts";

const indexVariable = "JOB_COMPLETION_INDEX";

/** The step that makes a pod of the Job, for an Indexed one that with this number. */
export function createJobPod(job: StoredJob, index: number | undefined): Action {
  const { name } = job.metadata;
  const template = job.spec.template as PodTemplateSpec;
  const object =
    index === undefined
      ? podOf(job, template, { generateName: `${name}-` })
      : podOf(job, withIndex(template, `${name}-${index}`), {
          generateName: `${name}-${index}-`,
          labels: { [indexAnnotation]: String(index) },
          annotations: { [indexAnnotation]: String(index) },
        });
  return {
    do: "create",
    resource: "pods",
    object,
    event: { reason: "SuccessfulCreate", message: "Created pod: {name}" },
    failure: { reason: "FailedCreate", message: "Error creating: {error}" },
  };
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode: host name and variable say the number. */
function withIndex(template: PodTemplateSpec, hostname: string): PodTemplateSpec {
  const { spec } = template;
  if (spec === undefined) return template;
  const fieldPath = `metadata.labels['${indexAnnotation}']`;
  const variable = { name: indexVariable, valueFrom: { fieldRef: { fieldPath } } };
  const add = <T extends Container>(container: T): T =>
    container.env?.some(({ name }) => name === indexVariable) === true
      ? container
      : { ...container, env: [...(container.env ?? []), variable] };
  return {
    ...template,
    spec: {
      ...spec,
      hostname: spec.hostname ?? hostname,
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(add) }),
      containers: spec.containers.map(add),
    },
  };
}
