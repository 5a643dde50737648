import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from "yaml";
import { childPath, itemPath } from "../kube/field-path.ts";
import { syntaxProblem } from "./syntax-problem.ts";
import type { ManifestProblem, Position } from "./types.ts";
import { kubernetesScalarTags } from "./yaml-tags.ts";

/** One YAML document that is no mere comment: what it says, and where. */
export interface YamlDocument {
  /** Undefined when `problems` has an error. */
  readonly value: unknown;
  readonly root: Node;
  readonly problems: readonly ManifestProblem[];
  /** Follows an alias to the node that it stands for. */
  resolve(node: unknown): unknown;
  positionOf(node: Node): Position;
}

/** Aliases may expand one document this many times, as a guard against "billion laughs". */
const maximumAliasExpansion = 100;

/** Reads every document of a YAML stream (JSON is YAML); never throws. */
export function readYamlDocuments(text: string, source: string): YamlDocument[] {
  const lineCounter = new LineCounter();
  const positionAt = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { source, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const result: YamlDocument[] = [];
  for (const document of parse(text, lineCounter)) {
    const root = document.contents;
    const problems = document.errors.slice(0, 1).map((error) => syntaxProblem(error, text, positionAt));
    if (problems.length === 0 && isBlank(root)) continue;
    const resolve = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
    const positionOf = (node: Node) => positionAt(node.range?.[0] ?? 0);
    if (problems.length === 0) problems.push(...repeatedKeys(root as Node, "", positionOf));
    const value = problems.length === 0 ? toValue(document, problems, positionOf) : undefined;
    result.push({ value, root: root as Node, problems, resolve, positionOf });
  }
  return result;
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed[] {
  const documents = parseAllDocuments(text, {
    version: "1.1",
    schema: "failsafe",
    customTags: kubernetesScalarTags,
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
    lineCounter,
  });
  // The library gives an empty stream an object of its own instead of an empty array.
  return "empty" in documents ? [] : documents;
}

function isBlank(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

function toValue(
  document: Document.Parsed,
  problems: ManifestProblem[],
  positionOf: (node: Node) => Position,
): unknown {
  try {
    return document.toJS({ maxAliasCount: maximumAliasExpansion });
  } catch (error) {
    const message = aliasMessage(error);
    const position = positionOf(document.contents as Node);
    problems.push({ severity: "error", position, field: "", reason: "Syntax", message });
    return undefined;
  }
}

function aliasMessage(error: unknown): string {
  if (!(error instanceof ReferenceError)) return error instanceof Error ? error.message : String(error);
  return error.message.startsWith("Unresolved")
    ? "an alias names an anchor that does not stand before it"
    : "too many aliases: they would expand without bound";
}

/** Keys that a mapping has twice: YAML forbids them and Kubernetes refuses them. */
function repeatedKeys(node: unknown, path: string, positionOf: (node: Node) => Position): ManifestProblem[] {
  if (isSeq(node)) {
    return node.items.flatMap((item, index) => repeatedKeys(item, itemPath(path, index), positionOf));
  }
  if (!isMap(node)) return [];
  const problems: ManifestProblem[] = [];
  const first = new Map<string, Node>();
  for (const { key, value } of node.items) {
    if (!isScalar(key)) {
      const message = "a key must be a plain text, not a list or an object";
      const position = positionOf((key as Node | null) ?? node);
      problems.push({ severity: "error", position, field: path, reason: "Syntax", message });
      continue;
    }
    const name = String(key.value);
    const field = childPath(path, name);
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, key);
    } else {
      const message = `duplicate key ${JSON.stringify(name)}, first set in line ${positionOf(earlier).line}`;
      problems.push({ severity: "error", position: positionOf(key), field, reason: "Syntax", message });
    }
    problems.push(...repeatedKeys(value, field, positionOf));
  }
  return problems;
}
