import { fieldsOf, type WireType } from "../kube/field-table.ts";

/** Parts of a Pod that nobody writes by hand, or that only repeat `containers`: no field "belongs" there. */
const neverMeant = new Set([
  "status",
  "managedFields",
  "ownerReferences",
  "initContainers",
  "ephemeralContainers",
]);
const maximumDepth = 6;

/**
 * Where in an object of type `root` a field named `name` belongs, as paths like `spec.containers[].image`:
 * those nearest to `from`, the path of the object in which it stands wrongly. Empty when the field exists
 * nowhere, or in too many places equally near to be of help.
 */
export function placesOfField(root: string, name: string, from: string): string[] {
  const origin = pathNames(from);
  let best: string[] = [];
  let bestDistance = Infinity;
  const visit = (type: WireType, path: string, depth: number) => {
    if (type.kind === "list") return visit(type.element, `${path}[]`, depth);
    if (type.kind !== "ref" || depth > maximumDepth) return;
    const fields = fieldsOf(type.type);
    if (fields?.has(name) && path !== "") {
      const distance = stepsBetween(origin, pathNames(path));
      const place = `${path}.${name}`;
      if (distance < bestDistance) [best, bestDistance] = [[place], distance];
      else if (distance === bestDistance) best.push(place);
    }
    for (const field of fields?.values() ?? []) {
      if (neverMeant.has(field.name)) continue;
      visit(field.type, path === "" ? field.name : `${path}.${field.name}`, depth + 1);
    }
  };
  visit({ kind: "ref", type: root }, "", 0);
  if (fieldsOf(root)?.has(name) && origin.length <= bestDistance) best = [name];
  return best.length <= 2 ? best : [];
}

/** Field names of a path without indices. */
function pathNames(path: string): string[] {
  return path === "" ? [] : path.replaceAll(/\[[^\]]*\]/g, "").split(".");
}

/** Steps up from `a` to what both share, and down again to `b`. */
function stepsBetween(a: readonly string[], b: readonly string[]): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++;
  return a.length - shared + (b.length - shared);
}
