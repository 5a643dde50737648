import { PeapodError } from "../../base/errors.ts";
import { readYamlDocuments } from "../../manifest/yaml-documents.ts";
import type { ApiRequest } from "../request.ts";
import { apiVersionOf, typeOf } from "../resource.ts";
import { mediaType, parseJSON } from "./body.ts";
import { decodeProtobuf, protobufType } from "./protobuf.ts";

const yamlTypes = ["application/yaml", "application/x-yaml", "text/yaml"];

/** The body's one value, from JSON, YAML or protobuf. BadRequest or UnsupportedMediaType with what is wrong. */
export function decodeBody(request: ApiRequest): unknown {
  const type = mediaType(request.contentType);
  if (type === "application/json") return parseJSON(request.body);
  if (type === protobufType) return decodeProtobuf(request.body, (...kind) => typeOfKind(request, ...kind));
  if (yamlTypes.includes(type)) return parseYAML(request.body);
  throw new PeapodError(
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  );
}

/** The field table's name of a kind that a request's body may hold: the resource's own, or one of its path's. */
function typeOfKind({ context }: ApiRequest, apiVersion: string, kind: string): string {
  const resource = context.resources.find(
    (candidate) => candidate.kind === kind && apiVersionOf(candidate) === apiVersion,
  );
  return resource === undefined ? kind : typeOf(resource);
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
