import { isDeepStrictEqual } from "node:util";
import { PeapodError } from "../../base/errors.ts";
import { isJSONObject, type JSONObject } from "../http/body.ts";

/**
 * The lists that merge item by item, by the field that tells items apart: the `patchMergeKey`s of the kinds
 * that this server has (https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/). Every other list is
 * replaced whole.
 */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: "name",
  initContainers: "name",
  ephemeralContainers: "name",
  volumes: "name",
  env: "name",
  ports: "containerPort",
  volumeMounts: "mountPath",
  volumeDevices: "devicePath",
  imagePullSecrets: "name",
  hostAliases: "ip",
  topologySpreadConstraints: "topologyKey",
  schedulingGates: "name",
  resourceClaims: "name",
  ownerReferences: "uid",
  conditions: "type",
  podIPs: "ip",
  hostIPs: "ip",
  addresses: "type",
  taints: "key",
};

/** Lists of plain values that merge as sets. */
const sets = new Set(["finalizers"]);

const deleteFromSet = "$deleteFromPrimitiveList/";
const elementOrder = "$setElementOrder/";

/**
 * Applies a strategic merge patch: a merge patch whose known lists merge by key, with the directives `$patch`
 * (`delete`, `replace`, `merge`), `$retainKeys`, `$deleteFromPrimitiveList` and `$setElementOrder`
 * (https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md).
 * Which lists merge is told by the field's name alone, whatever object it is in.
 */
export function applyStrategicMergePatch(target: unknown, patch: unknown): unknown {
  if (!isJSONObject(patch)) return patch;
  if (patch.$patch === "replace") return withoutDirectives(patch);
  if (patch.$patch === "delete") return {};
  const merged: JSONObject = isJSONObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deleteFromSet)) removeFromSet(merged, key.slice(deleteFromSet.length), value);
    else if (key.startsWith("$")) continue;
    else if (value === null) delete merged[key];
    else if (Array.isArray(value)) merged[key] = mergeList(key, merged[key], value);
    else merged[key] = applyStrategicMergePatch(merged[key], value);
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(elementOrder)) orderList(merged, key.slice(elementOrder.length), value);
  }
  const { $retainKeys: retained } = patch;
  if (!Array.isArray(retained)) return merged;
  return Object.fromEntries(Object.entries(merged).filter(([key]) => retained.includes(key)));
}

function mergeList(field: string, target: unknown, patch: readonly unknown[]): unknown[] {
  const present: unknown[] = Array.isArray(target) ? target : [];
  if (sets.has(field)) return [...new Set([...present, ...patch])];
  const mergeKey = mergeKeys[field];
  if (mergeKey === undefined || !patch.every(isJSONObject)) return patch.map(withoutDirectives);
  if (patch.some((item) => item.$patch === "replace" && item[mergeKey] === undefined)) {
    return patch.filter((item) => item.$patch === undefined);
  }

  const merged = [...present];
  for (const item of patch) {
    const key = item[mergeKey];
    if (key === undefined) {
      throw new PeapodError(
        "BadRequest",
        `map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`,
      );
    }
    const index = merged.findIndex((other) => isJSONObject(other) && isDeepStrictEqual(other[mergeKey], key));
    if (item.$patch === "delete") {
      if (index >= 0) merged.splice(index, 1);
    } else if (index >= 0) {
      merged[index] = applyStrategicMergePatch(merged[index], item);
    } else {
      merged.push(applyStrategicMergePatch({}, item));
    }
  }
  return merged;
}

function removeFromSet(merged: JSONObject, field: string, gone: unknown): void {
  const present = merged[field];
  if (Array.isArray(present) && Array.isArray(gone)) {
    merged[field] = present.filter((value) => !gone.includes(value));
  }
}

/** Puts the named items in the patch's order; items that it does not name come after them. */
function orderList(merged: JSONObject, field: string, order: unknown): void {
  const present = merged[field];
  const mergeKey = mergeKeys[field];
  if (!Array.isArray(present) || !Array.isArray(order)) return;
  const place = (item: unknown) => {
    const index = order.findIndex((wanted) =>
      mergeKey === undefined || !isJSONObject(wanted) || !isJSONObject(item)
        ? isDeepStrictEqual(wanted, item)
        : isDeepStrictEqual(wanted[mergeKey], item[mergeKey]),
    );
    return index < 0 ? order.length : index;
  };
  merged[field] = present.toSorted((a, b) => place(a) - place(b));
}

function withoutDirectives(value: unknown): unknown {
  if (!isJSONObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("$")));
}
