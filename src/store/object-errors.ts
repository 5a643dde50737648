import { PeapodError } from "../base/errors.ts";
import type { ObjectKey } from "./types.ts";

// The words are the API server's: https://pkg.go.dev/k8s.io/apimachinery/pkg/api/errors
/** There is no such object. */
export function notFound(key: ObjectKey): PeapodError {
  return objectError("NotFound", key, `${key.resource} "${key.name}" not found`);
}

/** The name is taken. */
export function alreadyExists(key: ObjectKey): PeapodError {
  return objectError("AlreadyExists", key, `${key.resource} "${key.name}" already exists`);
}

/** The object is no longer what the writer read. */
export function conflict(key: ObjectKey): PeapodError {
  const advice =
    "the object has been modified; please apply your changes to the latest version and try again";
  return objectError(
    "Conflict",
    key,
    `Operation cannot be fulfilled on ${key.resource} "${key.name}": ${advice}`,
  );
}

function objectError(
  code: "NotFound" | "AlreadyExists" | "Conflict",
  key: ObjectKey,
  message: string,
): PeapodError {
  const [kind, ...group] = key.resource.split(".");
  const details = { name: key.name, kind, ...(group.length === 0 ? {} : { group: group.join(".") }) };
  return new PeapodError(code, message, { details });
}
