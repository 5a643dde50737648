import { formatJson } from "./json.ts";

/** The `-o` values of commands that print objects. */
export const outputFormats = ["json", "yaml", "name", "wide"] as const;

export type OutputFormat = (typeof outputFormats)[number];

/**
 * Prints one object, or several as a `List`, as JSON or YAML; without the long list of who set which field, as kubectl,
 * unless it is asked for.
 */
export async function formatObjects(
  format: "json" | "yaml",
  objects: readonly object[],
  single: boolean,
  { showManagedFields = false }: { showManagedFields?: boolean } = {},
): Promise<string> {
  const items = showManagedFields ? objects : objects.map(withoutManagedFields);
  const value = single
    ? items[0]
    : { apiVersion: "v1", kind: "List", metadata: { resourceVersion: "" }, items };
  if (format === "json") return formatJson(value);
  const { formatYaml } = await import("./yaml.ts");
  return formatYaml(value);
}

function withoutManagedFields(object: { readonly metadata?: object }): object {
  if (object.metadata === undefined) return object;
  const { managedFields, ...metadata } = object.metadata as { managedFields?: unknown };
  return managedFields === undefined ? object : { ...object, metadata };
}
