import { childPath } from "../kube/field-path.ts";
import { kubernetesKinds } from "../kube/field-table.ts";
import type { Pod } from "../kube/types.ts";
import { admitPod, findProblems } from "./admit.ts";
import { fieldPosition } from "./field-position.ts";
import { kindProblem } from "./kinds.ts";
import { notSupported, type Problem, wrongType } from "./problems.ts";
import { flattenLists } from "./read.ts";
import { sourceText } from "./source-text.ts";
import type { ManifestProblem, Position } from "./types.ts";
import { readYamlDocuments } from "./yaml-documents.ts";

/** A pod, or the template of pods, that some object of a manifest has. */
export interface ManifestedPod {
  readonly apiVersion: string;
  readonly kind: string;
  /** Metadata of the object, which for a template is not that of its pods. */
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly annotations?: Annotations;
  };
  /** Path of the pod in its object: empty for a Pod, `spec.template` for a Deployment. */
  readonly path: string;
  /** Decoded and defaulted; valid only if the file has no errors. */
  readonly pod: Pod;
  /** Position of a field of the object (not of the template); falls back to the nearest parent. */
  positionOf(fieldPath: string): Position;
}

type Annotations = Readonly<Record<string, string>>;

/** The pods of one file. */
export interface ManifestedPods {
  readonly pods: readonly ManifestedPod[];
  /** Names of the Services in it. */
  readonly services: readonly string[];
  readonly problems: readonly ManifestProblem[];
}

interface PodPlace {
  readonly path: string;
  /** What the kind's controller lets its pods have as `restartPolicy`. */
  readonly restartPolicies: readonly string[];
}

const lasting = ["Always"];
const ending = ["OnFailure", "Never"];

/** Where the kinds of Kubernetes have their pods, by API group and kind. */
const podPlaces: Readonly<Record<string, PodPlace>> = {
  "/ReplicationController": { path: "spec.template", restartPolicies: lasting },
  "/PodTemplate": { path: "template", restartPolicies: [...lasting, ...ending] },
  "apps/Deployment": { path: "spec.template", restartPolicies: lasting },
  "apps/ReplicaSet": { path: "spec.template", restartPolicies: lasting },
  "apps/StatefulSet": { path: "spec.template", restartPolicies: lasting },
  "apps/DaemonSet": { path: "spec.template", restartPolicies: lasting },
  "batch/Job": { path: "spec.template", restartPolicies: ending },
  "batch/CronJob": { path: "spec.jobTemplate.spec.template", restartPolicies: ending },
};

/**
 * Finds every pod of a manifest for any Kubernetes: Pods and the templates of workloads, each decoded and defaulted
 * whether or not it is valid and whether or not this version of Peapod could run it. `problems` has what the API
 * server would refuse in them; kinds without pods, and kinds that Kubernetes doesn't have itself, are passed over.
 * Never throws.
 */
export function readPods(bytes: Uint8Array | string, source: string): ManifestedPods {
  const text = sourceText(bytes);
  if (typeof text !== "string") {
    const { reason: message, ...place } = text;
    const problem = {
      severity: "error" as const,
      position: { source, ...place },
      field: "",
      reason: "Syntax",
      message,
    };
    return { pods: [], services: [], problems: [problem] };
  }
  const pods: ManifestedPod[] = [];
  const services: string[] = [];
  const problems: ManifestProblem[] = [];
  for (const document of readYamlDocuments(text, source)) {
    problems.push(...document.problems);
    if (document.problems.length > 0) continue;
    for (const { value, node } of flattenLists(document, document.value, document.root)) {
      const positionOf = (path: string) => fieldPosition(document, node, path);
      const read = readObject(value);
      for (const { place, meant: _, ...problem } of read.problems) {
        problems.push({ ...problem, position: positionOf(place ?? problem.field) });
      }
      if (read.pod !== undefined) pods.push({ ...read.pod, positionOf });
      if (read.service !== undefined) services.push(read.service);
    }
  }
  return { pods, services, problems };
}

interface ReadObject {
  readonly pod?: Omit<ManifestedPod, "positionOf">;
  readonly service?: string;
  readonly problems: readonly Problem[];
}

function readObject(value: unknown): ReadObject {
  const { apiVersion, kind, metadata } = (value ?? {}) as {
    apiVersion?: string;
    kind?: string;
    metadata?: unknown;
  };
  if (apiVersion === "v1" && kind === "Pod") {
    const pod = { ...describe(value), path: "", pod: admitPod(value).pod as Pod };
    return { pod, problems: findProblems(value).filter(isOfKubernetes) };
  }
  const place = podPlaces[`${groupOf(apiVersion)}/${kind}`];
  if (place !== undefined) return readTemplate(value, place);
  if (apiVersion === "v1" && kind === "Service" && isObject(metadata) && typeof metadata.name === "string") {
    return { service: metadata.name, problems: [] };
  }
  const unknown = kindProblem(value);
  return { problems: unknown.length > 0 ? unknown.filter(isMistake) : findProblems(value) };
}

/** Reads the pod template of a workload as the Pod that its controller would make of it. */
function readTemplate(value: unknown, { path, restartPolicies }: PodPlace): ReadObject {
  let template: unknown = value;
  let found = "";
  for (const step of path.split(".")) {
    if (!isObject(template)) break;
    template = template[step];
    found = childPath(found, step);
  }
  // What is no object is left to Kubernetes, whose validation of the workload itself is not repeated here.
  if (!isObject(template)) {
    return {
      problems:
        template === undefined || template === null ? [] : [wrongType(found, template, "expected object")],
    };
  }
  const named = { ...(isObject(template.metadata) ? template.metadata : {}), name: "template" };
  const asPod = {
    apiVersion: "v1",
    kind: "Pod",
    ...template,
    metadata: named,
    ...withClaims(value, template),
  };
  const pod = admitPod(asPod).pod as Pod;
  const described = { ...describe(value), path, pod };
  if (kindProblem(value).length === 0) {
    return { pod: described, problems: findProblems(value).filter(isOfKubernetes) };
  }
  const problems: Problem[] = findProblems(asPod)
    .filter(isOfKubernetes)
    .map((problem) => below(path, problem));
  const policy = pod.spec?.restartPolicy;
  if (policy !== undefined && !restartPolicies.includes(policy)) {
    problems.push(notSupported(`${path}.spec.restartPolicy`, policy, restartPolicies));
  }
  return { pod: described, problems };
}

/** The spec of a StatefulSet's pods, whose claims the controller adds to their volumes; nothing for other kinds. */
function withClaims(value: unknown, { spec }: Record<string, unknown>): { spec?: object } {
  const claims = ((value as { spec?: { volumeClaimTemplates?: unknown } }).spec?.volumeClaimTemplates ??
    []) as unknown;
  if (!Array.isArray(claims) || claims.length === 0 || !isObject(spec)) return {};
  const names = claims.flatMap((claim) => {
    const name = isObject(claim) && isObject(claim.metadata) ? claim.metadata.name : undefined;
    return typeof name === "string" ? [name] : [];
  });
  const volumes = Array.isArray(spec.volumes) ? spec.volumes : [];
  const kept = volumes.filter((volume) => !isObject(volume) || !names.includes(String(volume.name)));
  const added = names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return { spec: { ...spec, volumes: [...kept, ...added] } };
}

function describe(value: unknown): Pick<ManifestedPod, "apiVersion" | "kind" | "metadata"> {
  const { apiVersion, kind, metadata } = value as { apiVersion: string; kind: string; metadata?: unknown };
  const { name, namespace, annotations } = isObject(metadata) ? metadata : {};
  return {
    apiVersion,
    kind,
    metadata: {
      ...(typeof name === "string" ? { name } : {}),
      ...(typeof namespace === "string" ? { namespace } : {}),
      ...(isObject(annotations) ? { annotations: textsOf(annotations) } : {}),
    },
  };
}

function textsOf(entries: Readonly<Record<string, unknown>>): Annotations {
  return Object.fromEntries(
    Object.entries(entries).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** Whether Kubernetes has the problem too, and not only this version of Peapod. */
function isOfKubernetes({ reason }: Problem): boolean {
  return reason !== "Unsupported";
}

/** Whether a kind that can't be read is a slip, and not a custom resource or one that has no pods. */
function isMistake({ field, reason, message }: Problem): boolean {
  if (reason !== "FieldValueNotSupported") return reason !== "Unsupported";
  const version = /in version "(.*?)"/.exec(message)?.[1];
  const own = kubernetesKinds().some(([apiVersion]) => apiVersion === version);
  return own && (field === "apiVersion" || message.includes("did you mean"));
}

function below(path: string, problem: Problem): Problem {
  const within = (field: string) => (field === "" ? path : `${path}.${field}`);
  return {
    ...problem,
    field: within(problem.field),
    ...(problem.place === undefined ? {} : { place: within(problem.place) }),
  };
}

function groupOf(apiVersion: string | undefined): string {
  return typeof apiVersion === "string" && apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
