/**
 * Paths of fields as Kubernetes writes them: `spec.containers[0].resources.limits[cpu]`
 * (https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation/field#Path).
 */

/** The path of `parent`'s field `name`; the root's path is empty. */
export function childPath(parent: string, name: string): string {
  return parent === "" ? name : `${parent}.${name}`;
}

/** The path of a list's item or of a map's entry. */
export function itemPath(parent: string, item: number | string): string {
  return `${parent}[${item}]`;
}

/**
 * The steps of a path from the root down: field names, indices and map keys. A bracket that holds only digits is
 * an index; a map key may be any text, also one with dots and slashes.
 */
export function pathSteps(path: string): (string | number)[] {
  const steps: (string | number)[] = [];
  for (const match of path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)) {
    const [, bracket, name] = match;
    if (name !== undefined) steps.push(name);
    else if (bracket !== undefined) steps.push(/^\d+$/.test(bracket) ? Number(bracket) : bracket);
  }
  return steps;
}
