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
