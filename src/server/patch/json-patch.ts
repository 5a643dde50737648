import { isDeepStrictEqual } from "node:util";
import { PeapodError } from "../../base/errors.ts";
import { isJSONObject } from "../http/body.ts";

/**
 * Applies a JSON Patch (RFC 6902) to a copy of `document`. BadRequest for a patch that is none, Invalid (as the
 * API server) for one that does not fit the document or whose `test` fails.
 */
export function applyJSONPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new PeapodError("BadRequest", "a JSON patch must be a list of operations");
  // An envelope gives the whole document a parent, so that the empty pointer needs no case of its own.
  const envelope = { document: structuredClone(document) };
  for (const operation of patch) applyOperation(envelope, operation);
  return envelope.document;
}

function applyOperation(envelope: object, operation: unknown): void {
  if (!isJSONObject(operation) || typeof operation.path !== "string") {
    throw new PeapodError("BadRequest", "an operation of a JSON patch must have op and path");
  }
  const { op, value } = operation;
  const target = () => locate(envelope, String(operation.path));
  const source = () => locate(envelope, String(operation.from));
  if (op === "add") {
    put(target(), structuredClone(value), "insert");
  } else if (op === "replace") {
    read(target());
    put(target(), structuredClone(value), "overwrite");
  } else if (op === "remove") {
    read(target());
    remove(target());
  } else if (op === "copy") {
    put(target(), structuredClone(read(source())), "insert");
  } else if (op === "move") {
    const moved = read(source());
    remove(source());
    put(target(), moved, "insert");
  } else if (op === "test") {
    if (!isDeepStrictEqual(read(target()), value)) throw unfit(`testing value ${operation.path} failed`);
  } else {
    throw new PeapodError("BadRequest", `a JSON patch has no operation ${JSON.stringify(op)}`);
  }
}

interface Place {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string;
  readonly pointer: string;
}

/** The place that a JSON pointer (RFC 6901) names; its parent must exist. */
function locate(envelope: object, pointer: string): Place {
  if (pointer !== "" && !pointer.startsWith("/"))
    throw unfit(`${JSON.stringify(pointer)} is no JSON pointer`);
  const steps = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  let parent: unknown = envelope;
  const path = ["document", ...steps];
  for (const step of path.slice(0, -1)) {
    parent = Array.isArray(parent) || isJSONObject(parent) ? own(parent, step) : undefined;
  }
  if (!Array.isArray(parent) && !isJSONObject(parent)) throw unfit(`${pointer} does not exist`);
  return { parent, key: path.at(-1) ?? "", pointer };
}

function own(parent: object, key: string): unknown {
  return Object.hasOwn(parent, key) ? (parent as Record<string, unknown>)[key] : undefined;
}

function read({ parent, key, pointer }: Place): unknown {
  if (!Object.hasOwn(parent, key) || (Array.isArray(parent) && !/^\d+$/.test(key))) {
    throw unfit(`${pointer} does not exist`);
  }
  return own(parent, key);
}

function put({ parent, key, pointer }: Place, value: unknown, mode: "insert" | "overwrite"): void {
  if (!Array.isArray(parent)) {
    Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
    return;
  }
  const index = key === "-" ? parent.length : Number(key);
  if (!/^(-|0|[1-9]\d*)$/.test(key) || index > parent.length) throw unfit(`${pointer} is outside the list`);
  parent.splice(index, mode === "overwrite" ? 1 : 0, value);
}

function remove({ parent, key }: Place): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

function unfit(message: string): PeapodError {
  return new PeapodError(
    "Invalid",
    `the server rejected our request due to an error in our request: ${message}`,
  );
}
