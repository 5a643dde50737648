import { PeapodError } from "../../base/errors.ts";
import type { Representation } from "../request.ts";

/**
 * Picks the first representation of an `Accept` header that this server has: JSON objects, their metadata, or Tables
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables).
 * NotAcceptable when it has none of them. `includeObject` is the query parameter of that name.
 */
export function negotiate(accept: string | undefined, includeObject: string | null): Representation {
  for (const range of (accept ?? "*/*").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (!["application/json", "application/*", "*/*", ""].includes(type)) continue;
    const as = parameterValue(parameters, "as");
    if (as === undefined) return { as: "Object" };
    if (
      as === "table" &&
      parameterValue(parameters, "g") === "meta.k8s.io" &&
      parameterValue(parameters, "v") === "v1"
    ) {
      return { as: "Table", includeObject: objectPart(includeObject) };
    }
    if (
      (as === "partialobjectmetadata" || as === "partialobjectmetadatalist") &&
      parameterValue(parameters, "g") === "meta.k8s.io" &&
      parameterValue(parameters, "v") === "v1"
    ) {
      return { as: "PartialObjectMetadata" };
    }
  }
  throw new PeapodError(
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io",
  );
}

/** For subresources that answer with text or nothing at all, whatever the client says it accepts. */
export const plainObjects: Representation = { as: "Object" };

function parameterValue(parameters: readonly string[], name: string): string | undefined {
  return parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
}

function objectPart(value: string | null): "None" | "Metadata" | "Object" {
  if (value === null || value === "") return "Metadata";
  if (value === "None" || value === "Metadata" || value === "Object") return value;
  throw new PeapodError("BadRequest", `unrecognized includeObject value: ${JSON.stringify(value)}`);
}
