import { isMap, isScalar, isSeq, type Node } from "yaml";
import { pathSteps } from "../kube/field-path.ts";
import type { Position } from "./types.ts";
import type { YamlDocument } from "./yaml-documents.ts";

/**
 * Where the field of that path stands below `base`: at its key, a list's item at its first character. A field
 * that is not there stands where its nearest parent does.
 */
export function fieldPosition(document: YamlDocument, base: Node, path: string): Position {
  let node: unknown = document.resolve(base);
  let found: Node = base;
  for (const step of pathSteps(path)) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      found = pair.key as Node;
      node = document.resolve(pair.value);
    } else if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (item === undefined) break;
      found = item as Node;
      node = document.resolve(item);
    } else {
      break;
    }
  }
  return document.positionOf(found);
}
