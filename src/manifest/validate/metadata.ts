import { childPath, itemPath } from "../../kube/field-path.ts";
import {
  labelNameProblems,
  labelValueProblems,
  qualifiedNameProblems,
  subdomainProblems,
} from "../../kube/names.ts";
import type { ObjectMeta } from "../../kube/types.ts";
import { at, invalid, type Problem, required, tooLong } from "../problems.ts";

const path = "metadata";
const annotationsLimit = 256 * 1024;

/**
 * Rules for an object's metadata. `nameProblems` is the form that names of its kind have.
 * `metadata.namespace` may be absent: the request's path or the client's context names it then.
 */
export function validateMetadata(
  metadata: ObjectMeta | undefined,
  nameProblems: (name: string) => string[],
): Problem[] {
  const { name = "", generateName = "", namespace, labels, annotations, finalizers } = metadata ?? {};
  const problems: Problem[] = [];
  if (generateName !== "") {
    // A dash at the end is fine in a prefix: the generated part follows it.
    const masked = generateName.replace(/-$/, "a");
    problems.push(...nameProblems(masked).map((text) => invalid(`${path}.generateName`, generateName, text)));
  }
  if (name !== "") {
    problems.push(...nameProblems(name).map((text) => invalid(`${path}.name`, name, text)));
  } else if (generateName === "") {
    problems.push(required(`${path}.name`, "name or generateName is required"));
  }
  if (namespace !== undefined && namespace !== "") {
    problems.push(
      ...labelNameProblems(namespace).map((text) => invalid(`${path}.namespace`, namespace, text)),
    );
  }
  problems.push(...validateLabels(labels, `${path}.labels`));
  problems.push(...validateAnnotations(annotations));
  for (const [index, finalizer] of (finalizers ?? []).entries()) {
    const field = itemPath(`${path}.finalizers`, index);
    problems.push(...qualifiedNameProblems(finalizer).map((text) => invalid(field, finalizer, text)));
  }
  problems.push(...validateOwners(metadata?.ownerReferences ?? []));
  return problems;
}

/** Keys and values of labels, or of anything that selects by labels. */
export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  field: string,
): Problem[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...qualifiedNameProblems(key).map((text) => at(itemPath(field, key), invalid(field, key, text))),
    ...labelValueProblems(value).map((text) => at(itemPath(field, key), invalid(field, value, text))),
  ]);
}

function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined): Problem[] {
  const field = `${path}.annotations`;
  const entries = Object.entries(annotations ?? {});
  const problems = entries.flatMap(([key]) =>
    qualifiedNameProblems(key.toLowerCase()).map((text) =>
      at(itemPath(field, key), invalid(field, key, text)),
    ),
  );
  const size = entries.reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  return size > annotationsLimit ? [...problems, tooLong(field, annotationsLimit)] : problems;
}

function validateOwners(owners: NonNullable<ObjectMeta["ownerReferences"]>): Problem[] {
  const problems: Problem[] = [];
  for (const [index, owner] of owners.entries()) {
    const field = itemPath(`${path}.ownerReferences`, index);
    for (const key of ["apiVersion", "kind", "name", "uid"] as const) {
      if (!owner[key]) problems.push(invalid(childPath(field, key), "", "must not be empty"));
    }
    if (owner.name) {
      problems.push(
        ...subdomainProblems(owner.name).map((text) => invalid(childPath(field, "name"), owner.name, text)),
      );
    }
  }
  const controllers = owners.filter(({ controller }) => controller === true);
  if (controllers.length > 1) {
    const names = controllers.map(({ name }) => name).join(" and ");
    problems.push(
      invalid(
        `${path}.ownerReferences`,
        controllers.length,
        `Only one reference can have Controller set to true. Found "true" in references for ${names}`,
      ),
    );
  }
  return problems;
}
