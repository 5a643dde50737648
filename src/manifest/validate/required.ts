import { childPath, itemPath } from "../../kube/field-path.ts";
import { type Field, fieldsOf, type WireType } from "../../kube/field-table.ts";
import { type Problem, required } from "../problems.ts";

/**
 * Fields that the API's documentation calls required and that are absent, at any depth of an object of the named
 * type. Numbers, booleans and lists are left out, since the API server cannot tell an absent one from an empty one;
 * so is what only the server writes.
 */
export function missingFields(type: string, object: Record<string, unknown>): Problem[] {
  const { apiVersion, kind, metadata, status, ...own } = object;
  return missingIn(type, own, "").filter(
    ({ field }) => !["apiVersion", "kind", "metadata", "status"].includes(field),
  );
}

function missingIn(type: string, object: Record<string, unknown>, path: string): Problem[] {
  return [...(fieldsOf(type) ?? new Map<string, Field>()).values()].flatMap((field) => {
    const value = object[field.name];
    const fieldPath = childPath(path, field.name);
    if (value !== undefined) return missingInValue(field.type, value, fieldPath);
    const isTold = field.type.kind === "ref" || field.type.kind === "string";
    return field.required && isTold ? [required(fieldPath)] : [];
  });
}

function missingInValue(type: WireType, value: unknown, path: string): Problem[] {
  if (type.kind === "ref") return missingIn(type.type, value as Record<string, unknown>, path);
  if (type.kind === "list") {
    return (value as unknown[]).flatMap((item, index) =>
      missingInValue(type.element, item, itemPath(path, index)),
    );
  }
  if (type.kind !== "map") return [];
  return Object.entries(value as object).flatMap(([key, item]) =>
    missingInValue(type.element, item, itemPath(path, key)),
  );
}
