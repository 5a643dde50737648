import { stringify } from "yaml";
import { sortKeys } from "./json.ts";

/** YAML as kubectl prints it: keys in alphabetical order, lists not indented, long lines kept whole. */
export function formatYaml(value: unknown): string {
  // Written as YAML 1.1, so that "yes", "0o7" and the like are quoted for every reader.
  return stringify(sortKeys(value), {
    indentSeq: false,
    lineWidth: 0,
    version: "1.1",
    aliasDuplicateObjects: false,
  });
}
