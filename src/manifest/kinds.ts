import { kubernetesKinds } from "../kube/field-table.ts";
import { required, wrongType } from "./problems.ts";
import { nearestSpelling } from "./spelling.ts";
import type { ManifestProblem } from "./types.ts";

/** Kinds that this version reads from a manifest, as `apiVersion/kind`: pods, what makes them and what they use. */
const readable: readonly string[] = [
  "v1/Pod",
  "v1/ReplicationController",
  "apps/v1/Deployment",
  "apps/v1/ReplicaSet",
  "apps/v1/StatefulSet",
  "apps/v1/DaemonSet",
  "batch/v1/Job",
  "batch/v1/CronJob",
  "v1/Namespace",
  "v1/Event",
  "v1/ConfigMap",
  "v1/Secret",
  "v1/ServiceAccount",
  "v1/PersistentVolumeClaim",
  "v1/Service",
  "v1/Endpoints",
  "discovery.k8s.io/v1/EndpointSlice",
];

/** Why an object's kind cannot be read; empty when it can. */
export function kindProblem(value: unknown): ManifestProblem[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? "list" : typeof value;
    return [wrongType("", value, `expected a Kubernetes object with apiVersion and kind, got ${found}`)];
  }
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown };
  const missing = [
    ...checkText("apiVersion", apiVersion, "the API's group and version, for example v1"),
    ...checkText("kind", kind, "what the object is, for example Pod"),
  ];
  if (missing.length > 0) return missing;
  if (readable.includes(`${apiVersion}/${kind}`)) return [];
  return [unreadableKind(apiVersion as string, kind as string)];
}

function checkText(field: string, value: unknown, detail: string): ManifestProblem[] {
  if (value === undefined || value === null || value === "") return [required(field, detail)];
  return typeof value === "string" ? [] : [wrongType(field, value, `expected string, got ${typeof value}`)];
}

function unreadableKind(apiVersion: string, kind: string): ManifestProblem {
  const kinds = kubernetesKinds();
  if (kinds.some(([version, name]) => version === apiVersion && name === kind)) {
    return problem(
      "kind",
      "Unsupported",
      `not honoured by this version of Peapod: kind ${kind} of ${apiVersion}`,
    );
  }
  const noMatch = `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`;
  const versions = kinds.filter(([, name]) => name === kind).map(([version]) => version);
  if (versions.length > 0) {
    return problem(
      "apiVersion",
      "FieldValueNotSupported",
      `${noMatch}; ${kind} is in ${versions.join(", ")}`,
    );
  }
  const nearest = nearestSpelling(
    kind,
    kinds.filter(([version]) => version === apiVersion).map(([, name]) => name),
  );
  const hint = nearest === undefined ? "" : `, did you mean ${JSON.stringify(nearest)}?`;
  return problem("kind", "FieldValueNotSupported", `${noMatch}${hint}`);
}

function problem(field: string, reason: string, message: string): ManifestProblem {
  return { severity: "error", position: undefined, field, reason, message };
}
