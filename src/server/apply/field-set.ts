import { isJSONObject } from "../http/body.ts";

/**
 * A set of fields of one object, as a tree of steps. A step is `f:NAME` (a field or a map's key), `k:{…}` (a list's item
 * by its keys), `v:…` (an item of a set) or `i:N`: the form in which `metadata.managedFields` keeps them
 * (https://pkg.go.dev/sigs.k8s.io/structured-merge-diff/v6/fieldpath).
 */
export interface FieldSet {
  /** Whether the place itself is in the set, beside what is below it. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

export const emptySet: FieldSet = { member: false, children: new Map() };

export function isEmptySet(set: FieldSet): boolean {
  return !set.member && set.children.size === 0;
}

/** What is in either. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  const children = new Map(a.children);
  for (const [step, child] of b.children) {
    const other = children.get(step);
    children.set(step, other === undefined ? child : union(other, child));
  }
  return { member: a.member || b.member, children };
}

/** What is in `a` and not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && !inB, true);
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && inB, false);
}

function combine(
  a: FieldSet,
  b: FieldSet,
  decide: (inA: boolean, inB: boolean) => boolean,
  keepOthers: boolean,
): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [step, child] of a.children) {
    const other = b.children.get(step);
    const combined =
      other === undefined ? (keepOthers ? child : emptySet) : combine(child, other, decide, keepOthers);
    if (!isEmptySet(combined)) children.set(step, combined);
  }
  return { member: decide(a.member, b.member), children };
}

/** The set below one more step; nothing when it is empty. */
export function below(step: string, set: FieldSet): FieldSet {
  return isEmptySet(set) ? emptySet : { member: false, children: new Map([[step, set]]) };
}

/** As `fieldsV1` has it. */
export function encodeFields(set: FieldSet): Record<string, unknown> {
  const steps = [...set.children].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries([
    ...(set.member && steps.length > 0 ? [[".", {}]] : []),
    ...steps.map(([step, child]) => [step, encodeFields(child)]),
  ]);
}

/** The root of a set out of `fieldsV1`; what is no set is an empty one. */
export function decodeFields(fields: unknown): FieldSet {
  return { member: false, children: decodeChildren(fields) };
}

function decodeChildren(fields: unknown): Map<string, FieldSet> {
  const entries = isJSONObject(fields) ? Object.entries(fields) : [];
  return new Map(
    entries
      .filter(([step]) => step !== ".")
      .map(([step, child]) => {
        const children = decodeChildren(child);
        const member = children.size === 0 || (isJSONObject(child) && Object.hasOwn(child, "."));
        return [step, { member, children }];
      }),
  );
}

/** Every member's path as messages write it: `.spec.containers[name="a"].image`. */
export function fieldPaths(set: FieldSet, path = ""): string[] {
  const own = set.member ? [path] : [];
  return [...own, ...[...set.children].flatMap(([step, child]) => fieldPaths(child, path + stepText(step)))];
}

function stepText(step: string): string {
  const text = step.slice(2);
  if (step.startsWith("f:")) return `.${text}`;
  if (step.startsWith("i:")) return `[${text}]`;
  if (step.startsWith("v:")) return `[=${text}]`;
  const keys = Object.entries(JSON.parse(text) as object);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
}
