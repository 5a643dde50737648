import { PeapodError } from "../../base/errors.ts";
import { isJSONObject, mediaType, parseJSON } from "../http/body.ts";
import type { ApiRequest } from "../request.ts";
import { typeOf } from "../resource.ts";
import { applyJSONPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { applyStrategicMergePatch } from "./strategic-merge-patch.ts";

/** Media type of a configuration to apply: https://kubernetes.io/docs/reference/using-api/server-side-apply/. */
export const applyMediaType = "application/apply-patch+yaml";

type ApplyPatch = (target: unknown, patch: unknown) => unknown;

function formats(type: string): Readonly<Record<string, ApplyPatch>> {
  return {
    "application/json-patch+json": applyJSONPatch,
    "application/merge-patch+json": applyMergePatch,
    "application/strategic-merge-patch+json": (target, patch) =>
      applyStrategicMergePatch(type, target, patch),
  };
}

/**
 * What the request's patch makes of an object of the field table's type `type`, by default the resource's own.
 * UnsupportedMediaType names the formats that are understood.
 */
export function decodePatch(
  request: ApiRequest,
  type: string = typeOf(request.resource),
): (target: unknown) => unknown {
  const media = mediaType(request.contentType);
  const known = formats(type);
  const apply = Object.hasOwn(known, media) ? known[media] : undefined;
  if (apply === undefined) {
    throw new PeapodError(
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: ${[...Object.keys(known), applyMediaType].join(", ")}`,
    );
  }
  const patch = parseJSON(request.body);
  if (apply !== applyJSONPatch && !isJSONObject(patch)) {
    throw new PeapodError("BadRequest", "the patch must be a JSON object");
  }
  return (target) => apply(target, patch);
}
