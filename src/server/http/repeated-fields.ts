import { readYamlDocuments } from "../../manifest/yaml-documents.ts";
import { mediaType } from "./body.ts";

/** A text, and the colon behind it where it is a key. */
const textOrKey = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/**
 * Paths of the fields that a JSON body has more than once: `JSON.parse` takes the last and says nothing. Empty for a
 * body of another type. The body must be valid JSON. Counting keys costs little; only a body that has more of them
 * than the value it means is read again, as YAML with places, to name them.
 */
export function repeatedFields(contentType: string, body: Uint8Array): readonly string[] {
  const type = mediaType(contentType);
  if (type !== "application/json" && !type.endsWith("+json")) return [];
  const text = new TextDecoder().decode(body);
  let written = 0;
  for (const [, colon] of text.matchAll(textOrKey)) if (colon !== undefined) written++;
  if (written === 0 || written === countKeys(JSON.parse(text))) return [];
  return readYamlDocuments(text, "request body")
    .flatMap(({ problems }) => problems)
    .map(({ field }) => field);
}

function countKeys(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countKeys(item), 0);
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + 1 + countKeys(item), 0);
}
