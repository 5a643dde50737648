import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { difference, emptySet, fieldPaths, intersection, isEmptySet, union } from "./field-set.ts";
import { isSameManager, type ManagedSet, type Manager, withFields } from "./managers.ts";
import { appliedFields, ownable } from "./track.ts";
import { compareValues, fieldsSetBy, mergeValues, removeFields } from "./typed-operations.ts";
import { declaredAs } from "./typed-value.ts";

/** Owner of what was there before an object was first applied to. */
const beforeFirstApply = "before-first-apply";

/**
 * Applies a configuration to a live object as one manager
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/): its fields are set, those that the manager
 * applied before and no longer does go (unless others own them), and fields that others own and it wants otherwise
 * are conflicts: refused (Conflict), or with `force` taken over.
 */
export function applyConfiguration(
  live: KubernetesObject,
  configuration: KubernetesObject,
  options: {
    readonly type: string;
    readonly by: Manager;
    readonly managers: readonly ManagedSet[];
    readonly force: boolean;
    readonly now: number;
  },
): { object: KubernetesObject; managers: readonly ManagedSet[] } {
  const { type, by, force, now } = options;
  const declared = declaredAs(type);
  const managers = knownManagers(live, options);
  const wanted = appliedFields(type, configuration);
  const others = managers.filter((manager) => !isSameManager(manager.by, by));
  const last = managers.find((manager) => isSameManager(manager.by, by))?.fields ?? emptySet;
  const owned = others.reduce((all, { fields }) => union(all, fields), wanted);
  const merged = mergeValues(declared, ownable(live, "object"), ownable(configuration, "object"));
  const result = removeFields(declared, merged, difference(last, owned), owned) as Partial<KubernetesObject>;

  const { added, modified, removed } = compareValues(declared, ownable(live, "object"), result);
  const written = union(added, modified);
  const conflicts = others.flatMap(({ by: owner, fields, time }) => {
    const contested = intersection(fields, written);
    return isEmptySet(contested) ? [] : [{ owner, time, paths: fieldPaths(contested) }];
  });
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);

  const left = others.map((manager) => ({
    ...manager,
    fields: difference(manager.fields, union(written, removed)),
  }));
  const { metadata, ...rest } = result;
  return {
    object: {
      ...rest,
      apiVersion: live.apiVersion,
      kind: live.kind,
      metadata: { ...identity(live), ...metadata },
      ...(live.status === undefined ? {} : { status: live.status }),
    } as KubernetesObject,
    managers: withFields(
      [...left, ...managers.filter((manager) => isSameManager(manager.by, by))],
      by,
      wanted,
      !isEmptySet(written) || !isEmptySet(removed),
      now,
    ),
  };
}

/** The object's managers; what an object without any has belongs to one of a fixed name. */
function knownManagers(
  live: KubernetesObject,
  { type, managers }: { readonly type: string; readonly managers: readonly ManagedSet[] },
): readonly ManagedSet[] {
  if (managers.length > 0) return managers;
  const fields = fieldsSetBy(declaredAs(type), ownable(live, "object"));
  const by: Manager = { manager: beforeFirstApply, operation: "Update", apiVersion: live.apiVersion };
  return [{ by, fields, time: live.metadata.creationTimestamp }];
}

/** The metadata that nobody owns, as it is. */
function identity(live: KubernetesObject): object {
  const owned = ownable(live, "object").metadata as object | undefined;
  return Object.fromEntries(Object.entries(live.metadata).filter(([name]) => !(name in (owned ?? {}))));
}

interface FieldConflict {
  readonly owner: Manager;
  readonly time: string | undefined;
  readonly paths: readonly string[];
}

/** 409 in the API server's words, which kubectl takes apart. */
function applyConflict(conflicts: readonly FieldConflict[]): PeapodError {
  const causes = conflicts.flatMap(({ owner, time, paths }) =>
    paths.map((field) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${ownerText(owner, time)}`,
      field,
    })),
  );
  const [first] = causes;
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${first?.message}: ${first?.field}`
      : `Apply failed with ${causes.length} conflicts: ${conflicts
          .map(
            ({ owner, time, paths }) => `conflicts with ${ownerText(owner, time)}:\n- ${paths.join("\n- ")}`,
          )
          .sort()
          .join("\n")}`;
  return new PeapodError("Conflict", message, { details: { causes } });
}

function ownerText(
  { manager, operation, apiVersion, subresource }: Manager,
  time: string | undefined,
): string {
  const name = `${JSON.stringify(manager)}${subresource === undefined ? "" : ` with subresource ${JSON.stringify(subresource)}`}`;
  if (operation === "Apply") return name;
  return `${name} using ${apiVersion}${time === undefined ? "" : ` at ${time}`}`;
}
