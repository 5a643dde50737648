import fastJSONPatch from "fast-json-patch";
import { explain, PeapodError } from "../../base/errors.ts";

/**
 * Applies a JSON Patch (RFC 6902) to a copy of `document`. BadRequest for a patch that is none, Invalid (as the
 * API server) for one that does not fit the document or whose `test` fails.
 */
export function applyJSONPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new PeapodError("BadRequest", "a JSON patch must be a list of operations");
  try {
    return fastJSONPatch.applyPatch(structuredClone(document), structuredClone(patch), true).newDocument;
  } catch (error) {
    throw patchError(error);
  }
}

/** What the library calls a patch that is wrong in itself. */
const malformed = [
  "OPERATION_NOT_AN_OBJECT",
  "OPERATION_OP_INVALID",
  "OPERATION_PATH_INVALID",
  "OPERATION_VALUE_REQUIRED",
];

function patchError(error: unknown): PeapodError {
  // Its messages go on with the whole document.
  const why = explain(error).split("\n")[0] ?? "";
  const name = error instanceof Error ? error.name : "";
  return malformed.includes(name)
    ? new PeapodError("BadRequest", `the JSON patch cannot be read: ${why}`)
    : new PeapodError("Invalid", `the server rejected our request due to an error in our request: ${why}`);
}
