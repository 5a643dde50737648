import { isDeepStrictEqual } from "node:util";
import { PeapodError } from "../../base/errors.ts";
import { fieldsOf, type WireType } from "../../kube/field-table.ts";
import { type MergeRule, mergeRule } from "../../kube/merge-rules.ts";
import { isJSONObject, type JSONObject } from "../http/body.ts";

const deleteFromSet = "$deleteFromPrimitiveList/";
const elementOrder = "$setElementOrder/";

/**
 * Applies a strategic merge patch to an object of one of the field table's types: a merge patch whose lists merge as
 * the API declares them, with the directives `$patch` (`delete`, `replace`, `merge`), `$retainKeys`,
 * `$deleteFromPrimitiveList` and `$setElementOrder`
 * (https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md).
 */
export function applyStrategicMergePatch(type: string, target: unknown, patch: unknown): unknown {
  return mergeValue({ kind: "ref", type }, target, patch);
}

function mergeValue(type: WireType | undefined, target: unknown, patch: unknown): unknown {
  if (!isJSONObject(patch)) return patch;
  if (patch.$patch === "replace") return withoutDirectives(patch);
  if (patch.$patch === "delete") return {};
  const merged: JSONObject = isJSONObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deleteFromSet)) removeFromSet(merged, key.slice(deleteFromSet.length), value);
    else if (key.startsWith("$")) continue;
    else if (value === null) delete merged[key];
    else define(merged, key, mergeField(type, key, merged[key], value));
  }
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith(elementOrder)) continue;
    const field = key.slice(elementOrder.length);
    orderList(merged, field, ruleOf(type, field).patchMergeKey, value);
  }
  const { $retainKeys: retained } = patch;
  if (!Array.isArray(retained)) return merged;
  return Object.fromEntries(Object.entries(merged).filter(([key]) => retained.includes(key)));
}

function mergeField(type: WireType | undefined, field: string, target: unknown, patch: unknown): unknown {
  const declared = typeOf(type, field);
  if (!Array.isArray(patch)) return mergeValue(declared, target, patch);
  const element = declared?.kind === "list" ? declared.element : undefined;
  return mergeList(ruleOf(type, field), element, target, patch);
}

function typeOf(type: WireType | undefined, field: string): WireType | undefined {
  if (type?.kind === "ref") return fieldsOf(type.type)?.get(field)?.type;
  return type?.kind === "map" ? type.element : undefined;
}

function ruleOf(type: WireType | undefined, field: string): MergeRule {
  return mergeRule(type?.kind === "ref" ? type.type : "", field);
}

/** Keys are the user's own, `__proto__` among them. */
function define(object: JSONObject, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function mergeList(
  { patchMerge, patchMergeKey }: MergeRule,
  element: WireType | undefined,
  target: unknown,
  patch: readonly unknown[],
): unknown[] {
  const present: unknown[] = Array.isArray(target) ? target : [];
  if (!patchMerge) return patch.map(withoutDirectives);
  if (patchMergeKey === undefined) return [...new Set([...present, ...patch])];
  if (!patch.every(isJSONObject)) return [...patch];
  if (patch.some((item) => item.$patch === "replace" && item[patchMergeKey] === undefined)) {
    return patch.filter((item) => item.$patch === undefined);
  }

  const merged = [...present];
  for (const item of patch) {
    const key = item[patchMergeKey];
    if (key === undefined) {
      throw new PeapodError(
        "BadRequest",
        `map: ${JSON.stringify(item)} does not contain declared merge key: ${patchMergeKey}`,
      );
    }
    const index = merged.findIndex(
      (other) => isJSONObject(other) && isDeepStrictEqual(other[patchMergeKey], key),
    );
    if (item.$patch === "delete") {
      if (index >= 0) merged.splice(index, 1);
    } else if (index >= 0) {
      merged[index] = mergeValue(element, merged[index], item);
    } else {
      merged.push(mergeValue(element, {}, item));
    }
  }
  return merged;
}

function removeFromSet(merged: JSONObject, field: string, gone: unknown): void {
  const present = merged[field];
  if (Array.isArray(present) && Array.isArray(gone)) {
    merged[field] = present.filter((value) => !gone.includes(value));
  }
}

/** Puts the named items in the patch's order; items that it does not name come after them. */
function orderList(merged: JSONObject, field: string, mergeKey: string | undefined, order: unknown): void {
  const present = merged[field];
  if (!Array.isArray(present) || !Array.isArray(order)) return;
  const place = (item: unknown) => {
    const index = order.findIndex((wanted) =>
      mergeKey === undefined || !isJSONObject(wanted) || !isJSONObject(item)
        ? isDeepStrictEqual(wanted, item)
        : isDeepStrictEqual(wanted[mergeKey], item[mergeKey]),
    );
    return index < 0 ? order.length : index;
  };
  merged[field] = present.toSorted((a, b) => place(a) - place(b));
}

function withoutDirectives(value: unknown): unknown {
  if (!isJSONObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("$")));
}
