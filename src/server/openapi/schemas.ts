import { fieldsOf, type WireType } from "../../kube/field-table.ts";
import { type MergeRule, mergeRule } from "../../kube/merge-rules.ts";

/** What the documentation says of a type and its fields; the empty field is the type itself. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The way a document of one OpenAPI version writes references and places them. */
export interface Dialect {
  /** `#/components/schemas/` or `#/definitions/`. */
  readonly prefix: string;
  /** Whether a reference may stand beside a description only inside `allOf`. */
  readonly wrapsReferences: boolean;
}

export const version3: Dialect = { prefix: "#/components/schemas/", wrapsReferences: true };
export const version2: Dialect = { prefix: "#/definitions/", wrapsReferences: false };

/** Name of a type's schema. */
export function schemaName(type: string): string {
  return `io.k8s.api.${type.includes(".") ? type : `core.v1.${type}`}`;
}

/** The schemas of these types and of all that they refer to, with the merge rules as Kubernetes' own extensions. */
export function schemasOf(
  types: Iterable<string>,
  descriptions: Descriptions,
  dialect: Dialect,
): Record<string, object> {
  const schemas: Record<string, object> = {};
  const visit = (type: string): void => {
    const name = schemaName(type);
    if (schemas[name] !== undefined) return;
    const fields = [...(fieldsOf(type)?.values() ?? [])];
    const schema: Record<string, unknown> = {
      description: descriptions[type]?.[""] ?? "",
      type: "object",
      ...atomicMark(mergeRule(type, "")),
    };
    schemas[name] = schema;
    const required = fields.filter((field) => field.required && !["apiVersion", "kind"].includes(field.name));
    if (required.length > 0) schema.required = required.map((field) => field.name);
    schema.properties = Object.fromEntries(
      fields.map((field) => {
        const rule = mergeRule(type, field.name);
        const described = { description: descriptions[type]?.[field.name] ?? "" };
        return [
          field.name,
          withDescription(
            wire(field.type, visit, dialect),
            { ...described, ...marks(field.type, rule) },
            dialect,
          ),
        ];
      }),
    );
  };
  for (const type of types) visit(type);
  return schemas;
}

function withDescription(schema: object, more: object, { wrapsReferences }: Dialect): object {
  return wrapsReferences && "$ref" in schema ? { ...more, allOf: [schema] } : { ...more, ...schema };
}

function wire(type: WireType, visit: (type: string) => void, dialect: Dialect): object {
  switch (type.kind) {
    case "ref":
      visit(type.type);
      return { $ref: `${dialect.prefix}${schemaName(type.type)}` };
    case "list":
      return { type: "array", items: wire(type.element, visit, dialect) };
    case "map":
      return { type: "object", additionalProperties: wire(type.element, visit, dialect) };
    case "string":
      return { type: "string", ...("values" in type && type.values.length > 1 ? { enum: type.values } : {}) };
    default:
      return (dialect.wrapsReferences ? scalars : { ...scalars, ...oldScalars })[type.kind] ?? {};
  }
}

/** https://github.com/kubernetes/kube-openapi: how Kubernetes' own scalars look. */
const scalars: Readonly<Record<string, object>> = {
  bool: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  number: { type: "number", format: "double" },
  Time: { type: "string", format: "date-time" },
  MicroTime: { type: "string", format: "date-time" },
  Quantity: { oneOf: [{ type: "string" }, { type: "number" }] },
  IntOrString: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  any: { type: "object" },
};

/** Version 2 knows no alternatives. */
const oldScalars: Readonly<Record<string, object>> = {
  Quantity: { type: "string" },
  IntOrString: { type: "string", format: "int-or-string" },
};

function marks(type: WireType, rule: MergeRule): object {
  const strategy = [...(rule.retainKeys ? ["retainKeys"] : []), ...(rule.patchMerge ? ["merge"] : [])];
  return {
    ...(type.kind === "list" ? listMarks(rule) : atomicMark(rule)),
    ...(strategy.length === 0 ? {} : { "x-kubernetes-patch-strategy": strategy.toReversed().join(",") }),
    ...(rule.patchMergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": rule.patchMergeKey }),
  };
}

function listMarks({ mapKeys, set }: MergeRule): object {
  if (mapKeys !== undefined) {
    return { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": mapKeys };
  }
  return { "x-kubernetes-list-type": set ? "set" : "atomic" };
}

function atomicMark({ atomic }: MergeRule): object {
  return atomic ? { "x-kubernetes-map-type": "atomic" } : {};
}
