import { PeapodError } from "../../base/errors.ts";
import { readYamlDocuments } from "../../manifest/yaml-documents.ts";
import type { ApiRequest } from "../request.ts";
import { mediaType, parseJSON } from "./body.ts";

const yamlTypes = ["application/yaml", "application/x-yaml", "text/yaml"];

/** The body's one value, from JSON or YAML. BadRequest or UnsupportedMediaType with what is wrong. */
export function decodeBody(request: ApiRequest): unknown {
  const type = mediaType(request.contentType);
  if (type === "application/json") return parseJSON(request.body);
  if (yamlTypes.includes(type)) return parseYAML(request.body);
  throw new PeapodError(
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
  );
}

function parseYAML(body: Uint8Array): unknown {
  const documents = readYamlDocuments(new TextDecoder().decode(body), "request body");
  const problem = documents.flatMap(({ problems }) => problems)[0];
  if (problem !== undefined) {
    const line = problem.position === undefined ? "" : `line ${problem.position.line}: `;
    throw new PeapodError("BadRequest", `the request's body is not valid YAML: ${line}${problem.message}`);
  }
  if (documents.length > 1) {
    throw new PeapodError("BadRequest", "the request's body has more than one YAML document");
  }
  return documents[0]?.value;
}
