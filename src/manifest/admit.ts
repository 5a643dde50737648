import type { Event, Namespace } from "../kube/types.ts";
import { decodeStrict } from "./decode.ts";
import { inDocumentOrder } from "./document-order.ts";
import { kindProblem } from "./kinds.ts";
import type { ManifestProblem, ValidPod } from "./types.ts";

/** An object as it would be stored and all that is wrong with it, in the order of its fields. */
export interface Admission<T> {
  /** To be used only when no problem is an error. */
  readonly object: T;
  readonly problems: readonly ManifestProblem[];
}

/** How the API's `fieldValidation` parameter treats fields that Kubernetes does not have. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

/**
 * Decodes, defaults and validates a Pod as the API server does on create, and checks that this version of
 * Peapod honours all of it. `value` is not changed. The pod must not be used when a problem is an error.
 */
export function admitPod(
  value: unknown,
  fieldValidation: FieldValidation = "Strict",
): { pod: ValidPod; problems: readonly ManifestProblem[] } {
  const { object, problems } = admit<ValidPod>("Pod", value, fieldValidation);
  return { pod: object, problems };
}

/** The same for a Namespace. */
export function admitNamespace(
  value: unknown,
  fieldValidation: FieldValidation = "Strict",
): { namespace: Namespace; problems: readonly ManifestProblem[] } {
  const { object, problems } = admit<Namespace>("Namespace", value, fieldValidation);
  return { namespace: object, problems };
}

/** The same for an Event of `v1`. */
export function admitEvent(
  value: unknown,
  fieldValidation: FieldValidation = "Strict",
): { event: Event; problems: readonly ManifestProblem[] } {
  const { object, problems } = admit<Event>("Event", value, fieldValidation);
  return { event: object, problems };
}

/** The same for an object of any kind that a manifest may hold, by its `apiVersion` and `kind`. */
export function admitObject(value: unknown): Admission<object> {
  const problems = kindProblem(value);
  if (problems.length > 0) return { object: {}, problems };
  return admit((value as { kind: string }).kind, value, "Strict");
}

function admit<T extends object>(
  kind: string,
  value: unknown,
  fieldValidation: FieldValidation,
): Admission<T> {
  const decoded = decodeStrict(kind, value);
  const problems = decoded.problems.flatMap((problem) => relax(problem, fieldValidation));
  return { object: decoded.value as T, problems: inDocumentOrder(value, problems) };
}

function relax(problem: ManifestProblem, fieldValidation: FieldValidation): ManifestProblem[] {
  if (problem.reason !== "UnknownField" || fieldValidation === "Strict") return [problem];
  return fieldValidation === "Warn" ? [{ ...problem, severity: "warning" }] : [];
}
