import type { KubernetesObject } from "../../kube/types.ts";
import type { Column } from "../resource.ts";
import { timeSince } from "./human-duration.ts";

/** The column that every table begins with. */
export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name of the object, unique within its namespace.",
  priority: 0,
  cell: (object) => object.metadata.name,
};

/** How long ago the object was created. */
export const ageColumn: Column = {
  name: "Age",
  type: "string",
  description: "Time since the object was created.",
  priority: 0,
  cell: (object, now) => timeSince(object.metadata.creationTimestamp, now),
};

/** A column of text; `wide` ones show only with `-o wide`. */
export function textColumn<T = KubernetesObject>(
  name: string,
  description: string,
  cell: (object: T, now: number) => string,
  options: { wide?: boolean } = {},
): Column {
  return {
    name,
    type: "string",
    description,
    priority: options.wide === true ? 1 : 0,
    cell: (object, now) => cell(object as T, now),
  };
}

/** A column of whole numbers; `wide` ones show only with `-o wide`. */
export function countColumn<T = KubernetesObject>(
  name: string,
  description: string,
  cell: (object: T) => number,
  options: { wide?: boolean } = {},
): Column {
  return {
    name,
    type: "integer",
    description,
    priority: options.wide === true ? 1 : 0,
    cell: (object) => cell(object as T),
  };
}

/** When the object was created, for kinds that kubectl shows so. */
export const createdAtColumn: Column = {
  name: "Created At",
  type: "date",
  description: "When the object was created.",
  priority: 0,
  cell: (object) => object.metadata.creationTimestamp,
};

/** Labels as `a=b,c=d`, or `<none>`. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.sort().join(",");
}

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

/** A selector as kubectl writes it: `a=b,c in (d,e),!f`, or `<none>`. */
export function selectorText(selector: LabelSelector | undefined): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    const list = `(${values.toSorted().join(",")})`;
    if (operator === "In") return `${key} in ${list}`;
    if (operator === "NotIn") return `${key} notin ${list}`;
    return operator === "Exists" ? key : `!${key}`;
  });
  const terms = [...labels.sort(), ...expressions];
  return terms.length === 0 ? "<none>" : terms.join(",");
}
