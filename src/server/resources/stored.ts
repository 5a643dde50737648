import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "../../kube/types.ts";
import { admitObject, immutableFields } from "../../manifest/admit.ts";
import { invalidObject } from "../admission.ts";
import type { Resource, Subresource, Verb } from "../resource.ts";
import { statusSubresource } from "../subresources/status.ts";
import { ageColumn, nameColumn } from "../table/columns.ts";

/** Every verb that the API has for a stored object. */
export const allVerbs: readonly Verb[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

type Optional =
  | "singular"
  | "shortNames"
  | "verbs"
  | "subresources"
  | "columns"
  | "selectableFields"
  | "namespaced";

/** What is particular to a kind that is kept as it is sent; the rest is alike for all. */
export type Declaration = Omit<Resource, Optional | "admit"> &
  Partial<Pick<Resource, Optional>> & { readonly hasStatus?: boolean };

/**
 * Declares a kind whose objects are stored after the rules of `manifest/rules`: every verb, name and age as its
 * columns, namespaced, and what may not change refused, unless the declaration says otherwise.
 */
export function stored(declaration: Declaration): Resource {
  const { group, version, kind, hasStatus = false, subresources = {}, checkUpdate } = declaration;
  const name = `${group === "" ? version : `${group}/${version}`}/${kind}`;
  const status: Record<string, Subresource> = hasStatus ? { status: statusSubresource(kind) } : {};
  return {
    singular: kind.toLowerCase(),
    shortNames: [],
    namespaced: true,
    verbs: allVerbs,
    columns: [nameColumn, ageColumn],
    selectableFields: {},
    ...declaration,
    subresources: { ...status, ...subresources },
    admit: (value) => admitObject(name, value),
    checkUpdate: (next, current, context) => {
      checkImmutable(declaration, immutableFields(name), next, current);
      checkUpdate?.(next, current, context);
    },
  };
}

/** Refuses (Invalid) other values in the fields that may not change. */
function checkImmutable(
  resource: Pick<Resource, "kind" | "group">,
  paths: readonly string[],
  next: KubernetesObject,
  current: KubernetesObject,
): void {
  const problems = paths
    .filter((path) => !isDeepStrictEqual(valueAt(next, path), valueAt(current, path)))
    .map((path) => ({
      field: path,
      reason: "FieldValueInvalid",
      message: `Invalid value: ${JSON.stringify(valueAt(next, path) ?? null)}: field is immutable`,
    }));
  if (problems.length > 0) throw invalidObject(resource, current.metadata.name, problems);
}

function valueAt(object: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], object);
}
