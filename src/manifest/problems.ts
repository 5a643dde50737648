import type { ManifestProblem } from "./types.ts";

/**
 * Makers of problems in the API server's own words
 * (https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation/field#Error). They carry no position yet:
 * the reader of a manifest knows where each field stands and adds it.
 */

/**
 * A problem under way. `place` is the path of the very field where the user has to look, when Kubernetes' own
 * path (`field`) stops short of it. `meant` is the path that an unknown field should have had: that nothing
 * stands there is no second problem.
 */
export type Problem = ManifestProblem & { readonly place?: string; readonly meant?: string };

/** The problem, to be shown at `place` although Kubernetes cites it by a shorter path. */
export function at(place: string, problem: Problem): Problem {
  return { ...problem, place };
}

/** The field has a value that a rule forbids. */
export function invalid(field: string, value: unknown, detail: string): ManifestProblem {
  return error(field, "FieldValueInvalid", `Invalid value: ${showValue(value)}`, detail);
}

/** The field is absent or empty and may not be. */
export function required(field: string, detail = ""): ManifestProblem {
  return error(field, "FieldValueRequired", "Required value", detail);
}

/** The value occurs a second time in a list where each may occur once. */
export function duplicate(field: string, value: unknown): ManifestProblem {
  return error(field, "FieldValueDuplicate", `Duplicate value: ${showValue(value)}`);
}

/** The field may not be set in this place. */
export function forbidden(field: string, detail: string): ManifestProblem {
  return error(field, "FieldValueForbidden", "Forbidden", detail);
}

/** The value is none of the known ones; `hint` follows the list. */
export function notSupported(
  field: string,
  value: unknown,
  supported: readonly string[],
  hint = "",
): ManifestProblem {
  const list = supported.map((one) => JSON.stringify(one)).join(", ");
  return error(
    field,
    "FieldValueNotSupported",
    `Unsupported value: ${showValue(value)}`,
    `supported values: ${list}${hint}`,
  );
}

/** The value names something that is not there. */
export function notFound(field: string, value: unknown, detail = ""): ManifestProblem {
  return error(field, "FieldValueNotFound", `Not found: ${showValue(value)}`, detail);
}

/** The text has more bytes than allowed. */
export function tooLong(field: string, maximum: number): ManifestProblem {
  return error(field, "FieldValueTooLong", "Too long", `may not be more than ${maximum} bytes`);
}

/** The value has another type than the field. */
export function wrongType(field: string, value: unknown, detail: string): ManifestProblem {
  const shown = typeof value === "object" && value !== null ? "" : `: ${showValue(value)}`;
  return error(field, "FieldValueTypeInvalid", `Invalid value${shown}`, detail);
}

/** Kubernetes has no such field in this place. */
export function unknownField(field: string, detail: string): ManifestProblem {
  return error(field, "UnknownField", "unknown field", detail);
}

/** Allowed, but most likely not what was meant. */
export function warning(field: string, message: string): ManifestProblem {
  return { severity: "warning", position: undefined, field, reason: "FieldValueInvalid", message };
}

function error(field: string, reason: string, head: string, detail = ""): ManifestProblem {
  const message = detail === "" ? head : `${head}: ${detail}`;
  return { severity: "error", position: undefined, field, reason, message };
}

/** Strings in quotes, everything else as JSON. */
function showValue(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
