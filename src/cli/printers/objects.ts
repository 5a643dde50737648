import { formatJson } from "./json.ts";

/** The `-o` values of commands that print objects. */
export const outputFormats = ["json", "yaml", "name", "wide"] as const;

export type OutputFormat = (typeof outputFormats)[number];

/** Prints one object, or several as a `List`, as JSON or YAML. */
export async function formatObjects(
  format: "json" | "yaml",
  objects: readonly object[],
  single: boolean,
): Promise<string> {
  const value = single
    ? objects[0]
    : { apiVersion: "v1", kind: "List", metadata: { resourceVersion: "" }, items: objects };
  if (format === "json") return formatJson(value);
  const { formatYaml } = await import("./yaml.ts");
  return formatYaml(value);
}
