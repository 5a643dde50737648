import { isMap, isSeq, type Node } from "yaml";
import { findProblems } from "./admit.ts";
import { fieldPosition } from "./field-position.ts";
import { sourceText } from "./source-text.ts";
import type { ManifestFile, ManifestObject, ManifestProblem, Position } from "./types.ts";
import { readYamlDocuments, type YamlDocument } from "./yaml-documents.ts";

/**
 * Reads a manifest: YAML 1.1 as Kubernetes reads it (several documents, KYAML, JSON), `kind: List` flattened.
 * `source` is the name under which problems cite it. Never throws.
 *
 * Every object is checked as the API server would check it, so `problems` has all that is wrong with the file,
 * in the order of its lines, and what this version of Peapod will not honour. `objects` has only those without
 * errors, as they were written (nothing defaulted). A caller must apply none of them when a problem is an error.
 */
export function readManifest(bytes: Uint8Array | string, source: string): ManifestFile {
  const text = sourceText(bytes);
  if (typeof text !== "string") {
    return { objects: [], problems: [fileProblem({ source, ...text }, text.reason)] };
  }
  const documents = readYamlDocuments(text, source);
  const problems: ManifestProblem[] = [];
  const objects: ManifestObject[] = [];
  for (const document of documents) {
    problems.push(...document.problems);
    if (document.problems.length > 0) continue;
    for (const { value, node } of flattenLists(document, document.value, document.root)) {
      const positionOf = (path: string) => fieldPosition(document, node, path);
      const found = findProblems(value);
      for (const { place, meant: _, ...problem } of found) {
        problems.push({ ...problem, position: positionOf(place ?? problem.field) });
      }
      if (found.some(({ severity }) => severity === "error")) continue;
      objects.push({ object: value as ManifestObject["object"], positionOf });
    }
  }
  if (documents.length === 0) {
    const message = text.trim() === "" ? "the file is empty" : "the file has only comments";
    problems.push(fileProblem({ source, line: 1, column: 1 }, message));
  }
  return { objects, problems };
}

/** The objects of a document: itself, or the items of a `List`, however deep. */
export function flattenLists(
  document: YamlDocument,
  value: unknown,
  node: Node,
): { value: unknown; node: Node }[] {
  const list = value as { kind?: unknown; apiVersion?: unknown; items?: unknown } | null;
  if (list?.kind !== "List" || list.apiVersion !== "v1" || !Array.isArray(list.items))
    return [{ value, node }];
  const map = document.resolve(node);
  const items = isMap(map) ? document.resolve(map.get("items", true)) : undefined;
  return list.items.flatMap((item, index) => {
    const child = isSeq(items) ? (items.items[index] as Node | undefined) : undefined;
    return flattenLists(document, item, child ?? node);
  });
}

function fileProblem({ source, line, column }: Position, message: string): ManifestProblem {
  return { severity: "error", position: { source, line, column }, field: "", reason: "Syntax", message };
}
