import { mergeTable } from "./generated/merge-table.ts";

/**
 * How a field merges when two writers meet
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy and, for strategic merge patches,
 * https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md).
 */
export interface MergeRule {
  /** Server-side apply: the fields that tell a list's items apart. Absent: the list is no map. */
  readonly mapKeys?: readonly string[];
  /** Server-side apply: the list is a set of plain values. */
  readonly set: boolean;
  /** Server-side apply: the object or map has one owner as a whole. Lists are so unless they are maps or sets. */
  readonly atomic: boolean;
  /** Strategic merge patch: the list merges, by `patchMergeKey` or, where there is none, as a set. */
  readonly patchMerge: boolean;
  readonly patchMergeKey?: string;
  /** Strategic merge patch: the object is replaced but for the fields that the patch retains. */
  readonly retainKeys: boolean;
  /** What the field is where it is not set. */
  readonly default?: unknown;
}

const noRule: MergeRule = { set: false, atomic: false, patchMerge: false, retainKeys: false };

const parsed = new Map<string, ReadonlyMap<string, MergeRule>>();

/** The rule of a field of one of the field table's types; an empty `field` means the type itself. */
export function mergeRule(type: string, field: string): MergeRule {
  let rules = parsed.get(type);
  if (rules === undefined) {
    const entries = (mergeTable[type] ?? "").split(" ").filter((entry) => entry !== "");
    rules = new Map(entries.map(parseEntry));
    parsed.set(type, rules);
  }
  return rules.get(field) ?? noRule;
}

function parseEntry(entry: string): [string, MergeRule] {
  const colon = entry.indexOf(":");
  const words = entry.slice(colon + 1).split(";");
  const argument = (name: string) =>
    words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const [mapKeys, patchMergeKey, fallback] = [argument("map"), argument("merge"), argument("default")];
  return [
    entry.slice(0, colon),
    {
      ...(mapKeys === undefined ? {} : { mapKeys: mapKeys.split(",") }),
      set: words.includes("set"),
      atomic: words.includes("atomic"),
      patchMerge: patchMergeKey !== undefined || words.includes("merge"),
      ...(patchMergeKey === undefined ? {} : { patchMergeKey }),
      retainKeys: words.includes("retainKeys"),
      ...(fallback === undefined ? {} : { default: JSON.parse(fallback) as unknown }),
    },
  ];
}
