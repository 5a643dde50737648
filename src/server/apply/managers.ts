import { isDeepStrictEqual } from "node:util";
import { kubernetesTime } from "../../base/clock.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { isJSONObject } from "../http/body.ts";
import { decodeFields, encodeFields, type FieldSet, isEmptySet } from "./field-set.ts";

/** Who sets fields, and how: one entry of `metadata.managedFields`. */
export interface Manager {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource?: string;
}

/** One manager's fields, and since when. */
export interface ManagedSet {
  readonly by: Manager;
  /** RFC 3339. */
  readonly time?: string;
  readonly fields: FieldSet;
}

type Entry = NonNullable<KubernetesObject["metadata"]["managedFields"]>[number];

/** The managers of an object. Entries that cannot be read are left out. */
export function readManagers(object: { readonly metadata?: unknown }): ManagedSet[] {
  const metadata = isJSONObject(object.metadata) ? object.metadata : {};
  const entries = Array.isArray(metadata.managedFields) ? (metadata.managedFields as Entry[]) : [];
  return entries.flatMap((entry) => {
    const { manager = "", operation, apiVersion, subresource, time, fieldsV1 } = entry;
    if (operation !== "Apply" && operation !== "Update") return [];
    const by: Manager = {
      manager,
      operation,
      apiVersion: apiVersion ?? "",
      ...(subresource ? { subresource } : {}),
    };
    return [{ by, fields: decodeFields(fieldsV1), ...(time === undefined ? {} : { time }) }];
  });
}

/** `managedFields` of these managers, in the API server's order; those who own nothing are left out. */
export function writeManagers(managers: readonly ManagedSet[]): Entry[] {
  return managers
    .filter(({ by, fields }) => by.operation === "Apply" || !isEmptySet(fields))
    .toSorted(
      (a, b) =>
        compareText(a.by.operation, b.by.operation) ||
        compareText(a.time ?? "", b.time ?? "") ||
        compareText(a.by.manager, b.by.manager),
    )
    .map(({ by, time, fields }) => ({
      apiVersion: by.apiVersion,
      fieldsType: "FieldsV1",
      fieldsV1: encodeFields(fields),
      manager: by.manager,
      operation: by.operation,
      ...(by.subresource === undefined ? {} : { subresource: by.subresource }),
      ...(time === undefined ? {} : { time }),
    }));
}

export function isSameManager(a: Manager, b: Manager): boolean {
  return isDeepStrictEqual({ subresource: "", ...a }, { subresource: "", ...b });
}

/** The managers with one's fields replaced; its time is now if it `wrote` something or they are others than before. */
export function withFields(
  managers: readonly ManagedSet[],
  by: Manager,
  fields: FieldSet,
  wrote: boolean,
  now: number,
): ManagedSet[] {
  const before = managers.find((other) => isSameManager(other.by, by));
  const others = managers.filter((other) => other !== before);
  const unchanged =
    !wrote && before !== undefined && isDeepStrictEqual(encodeFields(before.fields), encodeFields(fields));
  return [...others, unchanged ? before : { by, fields, time: kubernetesTime(now) }];
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
