import { labelNameProblems } from "../kube/names.ts";
import type { Event, Namespace, Pod } from "../kube/types.ts";
import { checkHonoured } from "./check-honoured.ts";
import { decodeStrict } from "./decode.ts";
import { defaultPod } from "./default-pod.ts";
import { inDocumentOrder } from "./document-order.ts";
import { kindProblem, type ReadableKind } from "./kinds.ts";
import type { Problem } from "./problems.ts";
import type { ManifestProblem, ValidPod } from "./types.ts";
import { validateEvent } from "./validate/event.ts";
import { validateMetadata } from "./validate/metadata.ts";
import { validatePod } from "./validate/pod.ts";

/**
 * Decodes, defaults and validates a Pod as the API server does on create, and checks that this version of
 * Peapod honours all of it. `value` is not changed; problems come in the order of its fields. When one of them
 * is an error, the pod must not be used.
 */
export function admitPod(value: unknown): { pod: ValidPod; problems: readonly ManifestProblem[] } {
  const { object, problems } = admit("Pod", value);
  return { pod: object as ValidPod, problems: problems.map(published) };
}

/** The same for a Namespace. */
export function admitNamespace(value: unknown): {
  namespace: Namespace;
  problems: readonly ManifestProblem[];
} {
  const { object, problems } = admit("Namespace", value);
  return { namespace: object as Namespace, problems: problems.map(published) };
}

/** The same for an Event of `v1`. */
export function admitEvent(value: unknown): { event: Event; problems: readonly ManifestProblem[] } {
  const { object, problems } = admit("Event", value);
  return { event: object as Event, problems: problems.map(published) };
}

/** All that is wrong with an object of any kind, by its `apiVersion` and `kind`, and the place of each. */
export function findProblems(value: unknown): readonly Problem[] {
  const problems = kindProblem(value);
  return problems.length > 0 ? problems : admit((value as { kind: ReadableKind }).kind, value).problems;
}

/** Defaults the object in place and says what is wrong with it. */
const rules: Record<ReadableKind, (object: object) => Problem[]> = {
  Pod: (object) => {
    const pod = object as Pod;
    defaultPod(pod);
    return [...validatePod(pod), ...checkHonoured(pod)];
  },
  Namespace: (object) => validateMetadata((object as Namespace).metadata, labelNameProblems),
  Event: (object) => validateEvent(object as Event),
};

function admit(kind: ReadableKind, value: unknown): { object: object; problems: Problem[] } {
  const { value: object, problems } = decodeStrict(kind, value);
  // A field that could not be decoded, or was misspelled, is gone: that it is missing is no news.
  const gone = problems.flatMap(({ reason, field, meant }) =>
    reason === "UnknownField" ? (meant ?? []) : field,
  );
  const found = rules[kind](object).filter(({ field }) => !gone.some((path) => isWithin(field, path)));
  return { object, problems: inDocumentOrder(value, [...problems, ...found]) };
}

function isWithin(field: string, path: string): boolean {
  return path === "" || field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`);
}

/** What others are to see of a problem. */
function published({ severity, position, field, reason, message }: Problem): ManifestProblem {
  return { severity, position, field, reason, message };
}
