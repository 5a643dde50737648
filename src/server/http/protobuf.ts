import { PeapodError } from "../../base/errors.ts";
import { fieldsOf, type WireType } from "../../kube/field-table.ts";
import { protobufTable } from "../../kube/generated/protobuf-table.ts";
import type { JSONObject } from "./body.ts";
import { type ProtobufValue, readMessage, signedNumber } from "./protobuf-message.ts";

/** Media type of Kubernetes' own protobuf encoding, which current clients write typed objects in. */
export const protobufType = "application/vnd.kubernetes.protobuf";

const magic = "k8s\0";

/**
 * Reads an object out of Kubernetes' protobuf envelope, as the JSON that would say the same
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding). `typeOfKind` names the field
 * table's type of a kind. BadRequest for bytes that are no such object.
 */
export function decodeProtobuf(
  body: Uint8Array,
  typeOfKind: (apiVersion: string, kind: string) => string,
): JSONObject {
  if (Buffer.from(body.subarray(0, magic.length)).toString("latin1") !== magic) throw malformed();
  const envelope = readMessage(body.subarray(magic.length));
  const [typeMeta, raw] = [bytesOf(envelope, 1), bytesOf(envelope, 2)];
  const names = readMessage(typeMeta);
  const [apiVersion, kind] = [text(bytesOf(names, 1)), text(bytesOf(names, 2))];
  const type = typeOfKind(apiVersion, kind);
  return { apiVersion, kind, ...decodeObject(type, type, raw) };
}

function bytesOf(message: ReadonlyMap<number, readonly ProtobufValue[]>, number: number): Uint8Array {
  const value = message.get(number)?.at(-1);
  if (value instanceof Uint8Array) return value;
  if (value === undefined) return new Uint8Array();
  throw malformed();
}

/** One entry of the table: how the field is called, or whose fields it brings. */
interface NumberedField {
  readonly name: string;
  readonly isInlined: boolean;
  /** Whether an empty value means that the field is absent. */
  readonly isDropped: boolean;
  readonly isBytes: boolean;
}

const parsed = new Map<string, ReadonlyMap<number, NumberedField>>();

function numberedFields(message: string): ReadonlyMap<number, NumberedField> {
  const known = parsed.get(message);
  if (known !== undefined) return known;
  const entries = (protobufTable[message] ?? "").split(" ").flatMap((entry) => {
    const match = /^(\d+)([=>])(\w+)(\??)(\*?)$/.exec(entry);
    if (match === null) return [];
    const [, number, mark, name = "", dropped, bytes] = match;
    const field = { name, isInlined: mark === ">", isDropped: dropped === "?", isBytes: bytes === "*" };
    return [[Number(number), field] as const];
  });
  const fields = new Map(entries);
  parsed.set(message, fields);
  return fields;
}

/** The fields of a message; `type` is the JSON type that has them, which for inlined messages is the outer one. */
function decodeObject(message: string, type: string, bytes: Uint8Array): JSONObject {
  const object: JSONObject = {};
  const numbered = numberedFields(message);
  const declared = fieldsOf(type);
  for (const [number, values] of readMessage(bytes)) {
    const field = numbered.get(number);
    if (field === undefined) continue;
    if (field.isInlined) {
      for (const value of values) Object.assign(object, decodeObject(field.name, type, asBytes(value)));
      continue;
    }
    const wireType = declared?.get(field.name)?.type;
    if (wireType === undefined) continue;
    const value = decodeField(wireType, values, field.isBytes);
    if (value !== undefined && !(field.isDropped && isEmpty(value))) object[field.name] = value;
  }
  return object;
}

function decodeField(type: WireType, values: readonly ProtobufValue[], isBytes: boolean): unknown {
  if (type.kind === "list") {
    return values.map((value) => decodeValue(type.element, value, isBytes));
  }
  if (type.kind === "map") {
    return Object.fromEntries(
      values.map((value) => {
        const entry = readMessage(asBytes(value));
        const item = entry.get(2)?.at(-1) ?? new Uint8Array();
        return [text(bytesOf(entry, 1)), decodeValue(type.element, item, isBytes)];
      }),
    );
  }
  const last = values.at(-1);
  return last === undefined ? undefined : decodeValue(type, last, isBytes);
}

function decodeValue(type: WireType, value: ProtobufValue, isBytes: boolean): unknown {
  switch (type.kind) {
    case "ref":
      return decodeObject(type.type, type.type, asBytes(value));
    case "list":
      return decodeList(type.element, asBytes(value));
    case "string":
      return isBytes ? Buffer.from(asBytes(value)).toString("base64") : text(asBytes(value));
    case "bool":
      return value === 1n;
    case "int32":
    case "int64":
      return signedNumber(value);
    case "Quantity":
      return text(bytesOf(readMessage(asBytes(value)), 1));
    case "IntOrString":
      return decodeIntOrString(asBytes(value));
    case "Time":
    case "MicroTime":
      return decodeTime(asBytes(value), type.kind);
    case "any":
      return decodeRaw(asBytes(value));
    default:
      throw malformed();
  }
}

/** A list inside a map is a message of its own: its first field, repeated. */
function decodeList(element: WireType, bytes: Uint8Array): unknown[] {
  return (readMessage(bytes).get(1) ?? []).map((value) => decodeValue(element, value, false));
}

function decodeIntOrString(bytes: Uint8Array): number | string {
  const message = readMessage(bytes);
  const isText = message.get(1)?.at(-1) === 1n;
  return isText ? text(bytesOf(message, 3)) : signedNumber(message.get(2)?.at(-1) ?? 0n);
}

/** RFC 3339, or undefined for the zero time. */
function decodeTime(bytes: Uint8Array, kind: "Time" | "MicroTime"): string | undefined {
  const message = readMessage(bytes);
  const seconds = signedNumber(message.get(1)?.at(-1) ?? 0n);
  if (bytes.length === 0 || seconds < 0) return undefined;
  const second = new Date(seconds * 1_000).toISOString().replace(/\.\d+Z$/, "");
  if (kind === "Time") return `${second}Z`;
  const micros = Math.floor(signedNumber(message.get(2)?.at(-1) ?? 0n) / 1_000);
  return `${second}.${String(micros).padStart(6, "0")}Z`;
}

function decodeRaw(bytes: Uint8Array): unknown {
  const raw = text(bytesOf(readMessage(bytes), 1));
  if (raw === "") return undefined;
  try {
    return JSON.parse(raw);
  } catch (cause) {
    throw new PeapodError("BadRequest", "the request's body holds JSON that is not valid", { cause });
  }
}

/** Empty as Go's JSON sees it: a struct never is. */
function isEmpty(value: unknown): boolean {
  return value === "" || value === 0 || value === false || (Array.isArray(value) && value.length === 0);
}

function asBytes(value: ProtobufValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw malformed();
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function malformed(): PeapodError {
  return new PeapodError("BadRequest", "the request's body is not valid protobuf");
}
