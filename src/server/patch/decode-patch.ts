import { PeapodError } from "../../base/errors.ts";
import { isJSONObject, mediaType, parseJSON } from "../http/body.ts";
import type { ApiRequest } from "../request.ts";
import { applyJSONPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { applyStrategicMergePatch } from "./strategic-merge-patch.ts";

const formats: Readonly<Record<string, (target: unknown, patch: unknown) => unknown>> = {
  "application/json-patch+json": applyJSONPatch,
  "application/merge-patch+json": applyMergePatch,
  "application/strategic-merge-patch+json": applyStrategicMergePatch,
};

/** What the request's patch makes of an object. UnsupportedMediaType names the formats that are understood. */
export function decodePatch(request: ApiRequest): (target: unknown) => unknown {
  const type = mediaType(request.contentType);
  const apply = Object.hasOwn(formats, type) ? formats[type] : undefined;
  if (apply === undefined) {
    throw new PeapodError(
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: ${Object.keys(formats).join(", ")}`,
    );
  }
  const patch = parseJSON(request.body);
  if (apply !== applyJSONPatch && !isJSONObject(patch)) {
    throw new PeapodError("BadRequest", "the patch must be a JSON object");
  }
  return (target) => apply(target, patch);
}
