import { PeapodError } from "../../base/errors.ts";
import type { ApiRequest } from "../request.ts";

/** A JSON object as somebody sent it. */
export type JSONObject = Record<string, unknown>;

/** Whether the value is a JSON object (not null, not an array). */
export function isJSONObject(value: unknown): value is JSONObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The media type without its parameters, in lower case; JSON when there is none, as the API server assumes. */
export function mediaType(contentType: string): string {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  return type === "" ? "application/json" : type;
}

/** Parses JSON. BadRequest with the parser's words. */
export function parseJSON(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new PeapodError("BadRequest", "the request's body is not valid JSON", { cause });
  }
}

/** `metadata` of a sent object, or an empty one: what is wrong with it, admission says. */
export function sentMetadata(value: unknown): JSONObject {
  return isJSONObject(value) && isJSONObject(value.metadata) ? value.metadata : {};
}

/**
 * Refuses (BadRequest) an object that is not of the resource's kind and version; fills them in where they are
 * missing, since the URL says them.
 */
export function checkKind(request: ApiRequest, value: unknown, apiVersion: string): JSONObject {
  if (!isJSONObject(value)) {
    throw new PeapodError(
      "BadRequest",
      `the object provided is unrecognized (must be of type ${request.resource.kind})`,
    );
  }
  const { kind } = request.resource;
  if (value.apiVersion !== undefined && value.apiVersion !== apiVersion) {
    throw new PeapodError(
      "BadRequest",
      `the API version in the data (${String(value.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (value.kind !== undefined && value.kind !== kind) {
    throw new PeapodError(
      "BadRequest",
      `the object provided is unrecognized (must be of type ${kind}): it is of kind ${String(value.kind)}`,
    );
  }
  return { ...value, apiVersion, kind };
}
