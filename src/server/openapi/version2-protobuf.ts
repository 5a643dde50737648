import { isJSONObject, type JSONObject } from "../http/body.ts";

/** Media types under which clients ask for the document; they can read nothing else. */
export const version2Protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/**
 * A document of OpenAPI version 2 as protobuf: as much of it as this server's documents have. Numbers are those of
 * https://github.com/google/gnostic-models/blob/main/openapiv2/OpenAPIv2.proto.
 */
export function encodeVersion2(document: JSONObject): Uint8Array {
  const { swagger, info, paths, definitions } = document;
  return message(
    text(1, swagger),
    part(2, isJSONObject(info) ? message(text(1, info.title), text(2, info.version)) : undefined),
    part(8, message(...named(2, paths, pathItem))),
    part(9, message(...named(1, definitions, schema))),
  );
}

function schema(value: JSONObject): Uint8Array {
  const required = Array.isArray(value.required) ? value.required : [];
  const { additionalProperties, items, properties, type } = value;
  return message(
    text(1, value.$ref),
    text(2, value.format),
    text(4, value.description),
    ...required.map((name) => text(19, name)),
    part(21, isJSONObject(additionalProperties) ? message(part(1, schema(additionalProperties))) : undefined),
    part(22, type === undefined ? undefined : message(text(1, type))),
    part(23, isJSONObject(items) ? message(part(1, schema(items))) : undefined),
    part(25, properties === undefined ? undefined : message(...named(1, properties, schema))),
    ...extensions(31, value),
  );
}

const methods: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };

function pathItem(value: JSONObject): Uint8Array {
  return message(
    ...Object.entries(methods).map(([method, number]) => {
      const operationValue = value[method];
      return part(number, isJSONObject(operationValue) ? operation(operationValue) : undefined);
    }),
  );
}

function operation(value: JSONObject): Uint8Array {
  const parameters = Array.isArray(value.parameters) ? value.parameters.filter(isJSONObject) : [];
  return message(
    text(5, value.operationId),
    ...parameters.map((parameter) => part(8, queryParameter(parameter))),
    ...extensions(13, value),
  );
}

function queryParameter({ name }: JSONObject): Uint8Array {
  const described = message(text(2, "query"), text(4, name), text(6, "string"));
  // A parameter that is no reference, and no body, of the query.
  return message(part(1, message(part(2, message(part(3, described))))));
}

/** `x-…` entries, whose values are kept as YAML: of which JSON is a part. */
function extensions(number: number, value: JSONObject): (Uint8Array | undefined)[] {
  return Object.entries(value)
    .filter(([name]) => name.startsWith("x-"))
    .map(([name, extension]) =>
      part(number, message(text(1, name), part(2, message(text(2, JSON.stringify(extension)))))),
    );
}

function named(
  number: number,
  map: unknown,
  encode: (value: JSONObject) => Uint8Array,
): (Uint8Array | undefined)[] {
  return Object.entries(isJSONObject(map) ? map : {}).map(([name, value]) =>
    part(number, message(text(1, name), part(2, encode(isJSONObject(value) ? value : {})))),
  );
}

function message(...parts: readonly (Uint8Array | undefined)[]): Uint8Array {
  return Buffer.concat(parts.filter((bytes) => bytes !== undefined));
}

/** A field of text; nothing for what is no text. */
function text(number: number, value: unknown): Uint8Array | undefined {
  return typeof value === "string" && value !== "" ? part(number, Buffer.from(value)) : undefined;
}

/** A field that has a length: text or a message. */
function part(number: number, bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined
    ? undefined
    : Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Uint8Array.from([...bytes, rest]);
}
