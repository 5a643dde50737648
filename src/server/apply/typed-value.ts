import { fieldsOf, type WireType } from "../../kube/field-table.ts";
import { type MergeRule, mergeRule } from "../../kube/merge-rules.ts";
import { isJSONObject } from "../http/body.ts";

/** What a place in an object is declared as. */
export interface Declared {
  readonly type: WireType;
  readonly rule: MergeRule;
}

/** A part of a value that merges by parts of its own: its step (as in a field set), value and declaration. */
export interface Part {
  readonly step: string;
  readonly value: unknown;
  readonly declared: Declared;
  /** Whether the part stands for itself: an item of a list, or a key that a user chose. */
  readonly isItem: boolean;
}

/** The declaration of a whole object of one of the field table's types. */
export function declaredAs(type: string): Declared {
  return { type: { kind: "ref", type }, rule: mergeRule(type, "") };
}

/**
 * The parts of a value by their steps, or undefined for one that has a single owner as a whole: scalars, atomic maps and
 * lists (https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy).
 */
export function partsOf({ type, rule }: Declared, value: unknown): ReadonlyMap<string, Part> | undefined {
  if (type.kind === "ref" && isJSONObject(value) && !rule.atomic && !mergeRule(type.type, "").atomic) {
    return structParts(type.type, value);
  }
  if (type.kind === "map" && isJSONObject(value) && !rule.atomic) {
    const declared = declaredElement(type.element);
    return byStep(
      Object.entries(value).map(([key, item]) => ({
        step: `f:${key}`,
        value: item,
        declared,
        isItem: true,
      })),
    );
  }
  if (type.kind === "list" && Array.isArray(value) && (rule.set || rule.mapKeys !== undefined)) {
    const declared = declaredElement(type.element);
    return byStep(
      value.map((item: unknown) => ({
        step: itemStep(declared, rule, item),
        value: item,
        declared,
        isItem: true,
      })),
    );
  }
  return undefined;
}

function structParts(type: string, value: Record<string, unknown>): ReadonlyMap<string, Part> {
  const fields = fieldsOf(type);
  return byStep(
    Object.entries(value).flatMap(([name, item]) => {
      const field = fields?.get(name);
      if (field === undefined || item === undefined) return [];
      const declared = { type: field.type, rule: mergeRule(type, name) };
      return [{ step: `f:${name}`, value: item, declared, isItem: false }];
    }),
  );
}

function declaredElement(type: WireType): Declared {
  return { type, rule: type.kind === "ref" ? mergeRule(type.type, "") : mergeRule("", "") };
}

function byStep(parts: readonly Part[]): ReadonlyMap<string, Part> {
  return new Map(parts.map((part) => [part.step, part]));
}

/** How a list's item is told from the others: its keys in alphabetical order, with their defaults, or its value. */
function itemStep({ type }: Declared, rule: MergeRule, item: unknown): string {
  if (rule.mapKeys === undefined) return `v:${JSON.stringify(item)}`;
  const keys = rule.mapKeys.toSorted().flatMap((key) => {
    const value =
      (isJSONObject(item) ? item[key] : undefined) ??
      (type.kind === "ref" ? mergeRule(type.type, key).default : undefined);
    return value === undefined ? [] : [[key, value]];
  });
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}
