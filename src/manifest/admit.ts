import { subdomainProblems } from "../kube/names.ts";
import type { KubernetesObject } from "../kube/types.ts";
import { decodeStrict } from "./decode.ts";
import { inDocumentOrder } from "./document-order.ts";
import { kindProblem } from "./kinds.ts";
import type { Problem } from "./problems.ts";
import { allRules } from "./rules/all.ts";
import type { AnyObject, KindRules } from "./rules/rules.ts";
import type { ManifestProblem, ValidPod } from "./types.ts";
import { validateMetadata } from "./validate/metadata.ts";
import { notOnCreate } from "./validate/pod.ts";
import { missingFields } from "./validate/required.ts";

/**
 * Decodes, defaults and validates a Pod as the API server does on create, and checks that this version of
 * Peapod honours all of it. `value` is not changed; problems come in the order of its fields. When one of them
 * is an error, the pod must not be used.
 */
export function admitPod(value: unknown): { pod: ValidPod; problems: readonly ManifestProblem[] } {
  const { object, problems } = admit("v1/Pod", value);
  return { pod: object as ValidPod, problems: problems.map(published) };
}

/** The same for a pod that is there already and may have got ephemeral containers meanwhile. */
export function admitPodUpdate(value: unknown): { pod: ValidPod; problems: readonly ManifestProblem[] } {
  const { pod, problems } = admitPod(value);
  const isAboutCreation = ({ field, message }: ManifestProblem) =>
    field === "spec.ephemeralContainers" && message.endsWith(notOnCreate);
  return { pod, problems: problems.filter((problem) => !isAboutCreation(problem)) };
}

/**
 * The same for an object of any kind that Peapod stores, named as `apiVersion/kind`; TypeError for one that it does
 * not know.
 */
export function admitObject(
  kind: string,
  value: unknown,
): { object: KubernetesObject; problems: readonly ManifestProblem[] } {
  const { object, problems } = admit(kind, value);
  return { object: object as KubernetesObject, problems: problems.map(published) };
}

/** The paths below an object of that kind (`apiVersion/kind`) that no update may change. */
export function immutableFields(kind: string): readonly string[] {
  return allRules[kind]?.immutable ?? [];
}

/** All that is wrong with an object of any kind, by its `apiVersion` and `kind`, and the place of each. */
export function findProblems(value: unknown): readonly Problem[] {
  const problems = kindProblem(value);
  if (problems.length > 0) return problems;
  const { apiVersion, kind } = value as { apiVersion: string; kind: string };
  return admit(`${apiVersion}/${kind}`, value).problems;
}

function admit(kind: string, value: unknown): { object: object; problems: Problem[] } {
  const rules = allRules[kind];
  if (rules === undefined) throw new TypeError(`there are no rules for ${kind}`);
  const type = rules.type ?? kind.slice(kind.lastIndexOf("/") + 1);
  const { value: object, problems } = decodeStrict(type, value);
  rules.setDefaults?.(object);
  // A field that could not be decoded, or was misspelled, is gone: that it is missing is no news.
  const gone = problems.flatMap(({ reason, field, meant }) =>
    reason === "UnknownField" ? (meant ?? []) : field,
  );
  const found = validate(type, object, rules).filter(
    ({ field }) => !gone.some((path) => isWithin(field, path)),
  );
  return { object, problems: inDocumentOrder(value, [...problems, ...found]) };
}

function validate(type: string, object: AnyObject, rules: KindRules): Problem[] {
  const problems = [
    ...validateMetadata(object.metadata, rules.nameProblems ?? subdomainProblems),
    ...(rules.validate?.(object) ?? []),
  ];
  if (rules.saysWhatIsRequired === true) return problems;
  const missing = missingFields(type, object as Record<string, unknown>);
  return [
    ...missing.filter(({ field }) => !problems.some((problem) => problem.field === field)),
    ...problems,
  ];
}

function isWithin(field: string, path: string): boolean {
  return path === "" || field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`);
}

/** What others are to see of a problem. */
function published({ severity, position, field, reason, message }: Problem): ManifestProblem {
  return { severity, position, field, reason, message };
}
