import { PeapodError } from "../base/errors.ts";
import type { KubernetesObject } from "../kube/types.ts";
import { decodeStrict } from "../manifest/decode.ts";
import type { ManifestProblem } from "../manifest/types.ts";
import { repeatedFields } from "./http/repeated-fields.ts";
import type { ApiRequest } from "./request.ts";
import { type Resource, typeOf } from "./resource.ts";

/** Reasons that mean the value cannot be read as the kind at all; the API server answers those with 400. */
const unreadable = ["FieldValueTypeInvalid", "Syntax"];

/**
 * Decodes, defaults and validates what a client sent, and says the problems as the API server does: unknown
 * and repeated fields by `fieldValidation` (400, warnings, or nothing:
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation), unreadable ones with 400, all
 * others together in one 422 Invalid. Returns the object and the warnings to send with the answer.
 */
export function admit(
  request: ApiRequest,
  value: Record<string, unknown>,
  admitObject = request.resource.admit,
): { object: KubernetesObject; warnings: string[] } {
  const { resource } = request;
  if (admitObject === undefined) throw methodNotAllowed();
  const { object, problems } = admitObject(value);
  const warnings = refuseUnreadable(request, problems);
  const invalid = problems.filter(
    ({ severity, reason }) =>
      severity === "error" && reason !== "UnknownField" && !unreadable.includes(reason),
  );
  if (invalid.length > 0) throw invalidObject(resource, object.metadata.name ?? "", invalid);
  return {
    object,
    warnings: [...warnings, ...problems.filter(({ severity }) => severity === "warning").map(problemLine)],
  };
}

/** Decodes a part of an object: what is there must be right, but nothing needs to be. */
export function decodeConfiguration(
  request: ApiRequest,
  value: Record<string, unknown>,
): { object: KubernetesObject; warnings: string[] } {
  const { value: object, problems } = decodeStrict(typeOf(request.resource), value);
  return { object: object as KubernetesObject, warnings: refuseUnreadable(request, problems) };
}

/** Refuses what cannot be read, and unknown and repeated fields as the request wants it; returns warnings about them. */
function refuseUnreadable(request: ApiRequest, problems: readonly ManifestProblem[]): string[] {
  const { resource } = request;
  const strictness = fieldValidation(request.query);
  const decoding = problems.filter(({ reason }) => unreadable.includes(reason));
  if (decoding.length > 0) throw badRequest(resource, decoding.map(problemLine).join(", "), decoding);
  if (strictness === "Ignore") return [];
  const unknown = problems.filter(({ reason }) => reason === "UnknownField");
  const repeated = repeatedFields(request.contentType, request.body);
  const said = [
    ...unknown.map(({ field }) => `unknown field ${JSON.stringify(field)}`),
    ...repeated.map((field) => `duplicate field ${JSON.stringify(field)}`),
  ];
  if (said.length > 0 && strictness === "Strict") {
    throw badRequest(resource, `strict decoding error: ${said.join(", ")}`, unknown);
  }
  return said;
}

/** 422 with every problem as a cause; the message lists them. */
export function invalidObject(
  resource: Pick<Resource, "kind" | "group">,
  name: string,
  problems: readonly Pick<ManifestProblem, "field" | "reason" | "message">[],
): PeapodError {
  const lines = problems.map(problemLine);
  const list = lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`;
  const kind = resource.group === "" ? resource.kind : `${resource.kind}.${resource.group}`;
  return new PeapodError("Invalid", `${kind} ${JSON.stringify(name)} is invalid: ${list}`, {
    details: { name, group: resource.group, kind: resource.kind, causes: causesOf(problems) },
  });
}

/** 405 in the API server's words. */
export function methodNotAllowed(): PeapodError {
  return new PeapodError(
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
  );
}

function badRequest(resource: Resource, words: string, problems: readonly ManifestProblem[]): PeapodError {
  const { kind, version } = resource;
  return new PeapodError(
    "BadRequest",
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${words}`,
    { details: { kind, causes: causesOf(problems) } },
  );
}

function causesOf(problems: readonly Pick<ManifestProblem, "field" | "reason" | "message">[]) {
  return problems.map(({ reason, message, field }) => ({ reason, message, field }));
}

function problemLine({ field, message }: Pick<ManifestProblem, "field" | "message">): string {
  return field === "" ? message : `${field}: ${message}`;
}

function fieldValidation(query: URLSearchParams): "Strict" | "Warn" | "Ignore" {
  const value = query.get("fieldValidation") ?? "";
  if (value === "") return "Warn";
  if (value === "Strict" || value === "Warn" || value === "Ignore") return value;
  throw new PeapodError(
    "BadRequest",
    `fieldValidation: Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`,
  );
}

/** Whether the request is only a rehearsal (`dryRun=All`). BadRequest for any other value. */
export function isDryRun(values: readonly string[]): boolean {
  const given = values.filter((value) => value !== "");
  const wrong = given.find((value) => value !== "All");
  if (wrong !== undefined) {
    throw new PeapodError(
      "BadRequest",
      `dryRun: Unsupported value: ${JSON.stringify(wrong)}: supported values: "All"`,
    );
  }
  return given.length > 0;
}
