import { kubernetesKinds } from "../kube/field-table.ts";
import { required, wrongType } from "./problems.ts";
import { allRules } from "./rules/all.ts";
import { nearestSpelling } from "./spelling.ts";
import type { ManifestProblem } from "./types.ts";

/** What the node itself makes and renews; nobody's manifest has it. */
const nodesOwn = ["v1/Node", "coordination.k8s.io/v1/Lease", "events.k8s.io/v1/Event"];

/** Kinds that this version reads from a manifest, as `apiVersion/kind`: those that it stores. */
const readable: readonly string[] = Object.keys(allRules).filter((kind) => !nodesOwn.includes(kind));

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
