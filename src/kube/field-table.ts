import { channelFieldTable } from "./channel-fields.ts";
import { fieldTable, kindTable } from "./generated/field-table.ts";

/** How a value looks on the wire. `type` of a `ref` names another type of the table. */
export type WireType =
  | { readonly kind: ScalarKind }
  | { readonly kind: "string"; readonly values: readonly string[] }
  | { readonly kind: "list" | "map"; readonly element: WireType }
  | { readonly kind: "ref"; readonly type: string };

export type ScalarKind =
  | "string"
  | "bool"
  | "int32"
  | "int64"
  | "number"
  | "Quantity"
  | "IntOrString"
  | "Time"
  | "MicroTime"
  | "any";

export interface Field {
  readonly name: string;
  /** Whether the API's documentation calls the field required; decoding never checks it, validation does. */
  readonly required: boolean;
  readonly type: WireType;
}

const scalarKinds = new Set<string>([
  "string",
  "bool",
  "int32",
  "int64",
  "number",
  "Quantity",
  "IntOrString",
  "Time",
  "MicroTime",
  "any",
]);

const parsed = new Map<string, ReadonlyMap<string, Field>>();

/**
 * The fields of a type of Kubernetes' API (`Pod`, `PodSpec`, `Container` …) or of Peapod's own, by name, in alphabetical
 * order; undefined for a type that the table has not. A type is parsed when it is first asked for, so that importing
 * the table costs next to nothing.
 */
export function fieldsOf(type: string): ReadonlyMap<string, Field> | undefined {
  const known = parsed.get(type);
  if (known !== undefined) return known;
  const line = fieldTable[type] ?? channelFieldTable[type];
  if (line === undefined) return undefined;
  const fields = new Map<string, Field>();
  for (const entry of line === "" ? [] : line.split(" ")) {
    const colon = entry.indexOf(":");
    const required = entry[colon - 1] === "!";
    const name = entry.slice(0, required ? colon - 1 : colon);
    fields.set(name, { name, required, type: parseWireType(entry.slice(colon + 1)) });
  }
  parsed.set(type, fields);
  return fields;
}

/** Every kind of Kubernetes' own API as `[apiVersion, kind]`, whether or not Peapod can read it. */
export function kubernetesKinds(): readonly (readonly [apiVersion: string, kind: string])[] {
  return Object.entries(kindTable).flatMap(([apiVersion, kinds]) =>
    kinds.split(" ").map((kind) => [apiVersion, kind] as const),
  );
}

function parseWireType(text: string): WireType {
  if (text.startsWith("[]")) return { kind: "list", element: parseWireType(text.slice(2)) };
  if (text.startsWith("{}")) return { kind: "map", element: parseWireType(text.slice(2)) };
  if (text.startsWith("(")) return { kind: "string", values: text.slice(1, -1).split("|") };
  if (scalarKinds.has(text)) return { kind: text as ScalarKind };
  return { kind: "ref", type: text };
}
