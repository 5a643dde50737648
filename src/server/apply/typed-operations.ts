import { isDeepStrictEqual } from "node:util";
import { isJSONObject } from "../http/body.ts";
import { below, emptySet, type FieldSet, isEmptySet, union } from "./field-set.ts";
import { type Declared, type Part, partsOf } from "./typed-value.ts";

// Rules: https://pkg.go.dev/sigs.k8s.io/structured-merge-diff/v6/typed

/** Every field that a value sets. */
export function fieldsSetBy(declared: Declared, value: unknown): FieldSet {
  const parts = partsOf(declared, value);
  if (parts === undefined) return { member: true, children: new Map() };
  const children = new Map<string, FieldSet>();
  for (const [step, part] of parts) {
    const inner = fieldsSetBy(part.declared, part.value);
    const isEmptyObject = isJSONObject(part.value) && Object.keys(part.value).length === 0;
    const set = { member: inner.member || part.isItem || isEmptyObject, children: inner.children };
    if (!isEmptySet(set)) children.set(step, set);
  }
  return { member: false, children };
}

/** What changed between two values. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

const noChange: Comparison = { added: emptySet, modified: emptySet, removed: emptySet };

/** Compares two values of one declaration. What is new or gone includes the places that hold it. */
export function compareValues(declared: Declared, before: unknown, after: unknown): Comparison {
  const [old, next] = [partsOf(declared, before), partsOf(declared, after)];
  if (old === undefined || next === undefined) {
    return isDeepStrictEqual(before, after)
      ? noChange
      : { ...noChange, modified: { member: true, children: new Map() } };
  }
  let result = noChange;
  for (const step of new Set([...old.keys(), ...next.keys()])) {
    const [was, is] = [old.get(step), next.get(step)];
    const change = comparePart(was, is);
    result = {
      added: union(result.added, below(step, change.added)),
      modified: union(result.modified, below(step, change.modified)),
      removed: union(result.removed, below(step, change.removed)),
    };
  }
  return result;
}

function comparePart(was: Part | undefined, is: Part | undefined): Comparison {
  if (was !== undefined && is !== undefined) return compareValues(is.declared, was.value, is.value);
  if (is !== undefined) return { ...noChange, added: wholePart(is) };
  return was === undefined ? noChange : { ...noChange, removed: wholePart(was) };
}

function wholePart(part: Part): FieldSet {
  const { children } = fieldsSetBy(part.declared, part.value);
  return { member: true, children: withPlaces(part.declared, part.value, children) };
}

/** Marks the places that hold something as members, too, as an update owns them. */
function withPlaces(
  declared: Declared,
  value: unknown,
  children: ReadonlyMap<string, FieldSet>,
): ReadonlyMap<string, FieldSet> {
  const parts = partsOf(declared, value);
  return new Map(
    [...children].map(([step, child]) => {
      const part = parts?.get(step);
      const inner =
        part === undefined ? child.children : withPlaces(part.declared, part.value, child.children);
      return [step, { member: true, children: inner }];
    }),
  );
}

/** Puts what an applied configuration says over the live value; what it does not mention stays. */
export function mergeValues(declared: Declared, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  const [present, wanted] = [partsOf(declared, live), partsOf(declared, applied)];
  if (present === undefined || wanted === undefined) return applied;
  const merged = [...wanted.values()].map((part) => {
    const other = present.get(part.step);
    return { ...part, value: mergeValues(part.declared, other?.value, part.value) };
  });
  return assemble(declared, live, inOrder([...present.values()], merged));
}

/**
 * Wanted parts in their order and live ones in theirs; between two that both have, the live ones come first, so that
 * what is new goes to the end.
 */
function inOrder(present: readonly Part[], wanted: readonly Part[]): Part[] {
  const isWanted = new Set(wanted.map(({ step }) => step));
  const places = new Map(present.map(({ step }, index) => [step, index]));
  const result: Part[] = [];
  let next = 0;
  const takeLive = (end: number, stop: (part: Part) => boolean) => {
    for (; next < end; next += 1) {
      const part = present[next];
      if (part === undefined || stop(part)) return;
      if (!isWanted.has(part.step)) result.push(part);
    }
  };
  for (const part of wanted) {
    const place = places.get(part.step);
    if (place === undefined) takeLive(present.length, ({ step }) => isWanted.has(step));
    else takeLive(place + 1, () => false);
    result.push(part);
  }
  takeLive(present.length, () => false);
  return result;
}

/** Takes out of a value what is in `gone`, unless something in it is in `kept`. */
export function removeFields(declared: Declared, value: unknown, gone: FieldSet, kept: FieldSet): unknown {
  const parts = partsOf(declared, value);
  if (parts === undefined) return value;
  const left = [...parts.values()].flatMap((part) => {
    const goneHere = gone.children.get(part.step);
    if (goneHere === undefined) return [part];
    const keptHere = kept.children.get(part.step);
    if (keptHere === undefined) return [];
    return [{ ...part, value: removeFields(part.declared, part.value, goneHere, keptHere) }];
  });
  return assemble(declared, value, left);
}

/** A value of these parts; fields that the declaration does not know stay as they were. */
function assemble({ type }: Declared, original: unknown, parts: readonly Part[]): unknown {
  if (type.kind === "list") return parts.map(({ value }) => value);
  const known = Object.fromEntries(parts.map(({ step, value }) => [step.slice(2), value]));
  if (type.kind !== "ref" || !isJSONObject(original)) return known;
  const all = partsOf(
    { type, rule: { set: false, atomic: false, patchMerge: false, retainKeys: false } },
    original,
  );
  const unknown = Object.entries(original).filter(([name]) => all?.has(`f:${name}`) !== true);
  return { ...Object.fromEntries(unknown), ...known };
}
