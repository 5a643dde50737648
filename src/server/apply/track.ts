import type { KubernetesObject } from "../../kube/types.ts";
import { difference, emptySet, type FieldSet, isEmptySet, union } from "./field-set.ts";
import { isSameManager, type ManagedSet, type Manager, withFields } from "./managers.ts";
import { compareValues, fieldsSetBy } from "./typed-operations.ts";
import { type Declared, declaredAs } from "./typed-value.ts";

/** What nobody owns, since it is the object's identity or the server's own. */
const ownMetadata = [
  "name",
  "namespace",
  "generateName",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
];

/** Which part of an object a write is about. */
export type TrackedPart = "object" | "status";

/** The object as far as managers own it: of a write to `/status` the status alone, of others all else. */
export function ownable(object: Partial<KubernetesObject>, part: TrackedPart): Record<string, unknown> {
  const { apiVersion, kind, metadata, status, ...rest } = object;
  if (part === "status") return status === undefined ? {} : { status };
  const entries = Object.entries(metadata ?? {}).filter(
    ([name, value]) => !ownMetadata.includes(name) && value !== undefined,
  );
  return { ...rest, ...(entries.length === 0 ? {} : { metadata: Object.fromEntries(entries) }) };
}

/** Every field that an applied configuration sets. */
export function appliedFields(type: string, configuration: Partial<KubernetesObject>): FieldSet {
  return fieldsSetBy(declaredAs(type), ownable(configuration, "object"));
}

/** The managers after somebody replaced `before` by `after`: what changed is now theirs alone. */
export function trackUpdate(
  managers: readonly ManagedSet[],
  by: Manager,
  change: {
    readonly type: string;
    readonly part: TrackedPart;
    readonly before: Partial<KubernetesObject>;
    readonly after: KubernetesObject;
    readonly now: number;
  },
): readonly ManagedSet[] {
  const declared: Declared = declaredAs(change.type);
  const { added, modified, removed } = compareValues(
    declared,
    ownable(change.before, change.part),
    ownable(change.after, change.part),
  );
  const written = union(added, modified);
  if (isEmptySet(written) && isEmptySet(removed)) return managers;
  const others = managers.map((manager) =>
    isSameManager(manager.by, by)
      ? manager
      : { ...manager, fields: difference(manager.fields, union(written, removed)) },
  );
  const own = managers.find((manager) => isSameManager(manager.by, by))?.fields ?? emptySet;
  return withFields(others, by, difference(union(own, written), removed), !isEmptySet(written), change.now);
}
