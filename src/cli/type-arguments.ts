import { findResourceType, type ResourceType } from "../client/resources.ts";
import { usageError } from "./parse-arguments.ts";

/** A type and the names given with it: `pods`, `pod a b`, `pod/a pod/b`. */
export interface TypeAndNames {
  readonly type: ResourceType;
  readonly names: readonly string[];
}

/** Reads `TYPE [NAME…]` or `TYPE/NAME…`. Throws Usage. */
export function parseTypeAndNames(args: readonly string[]): TypeAndNames {
  const [first = "", ...others] = args;
  if (!first.includes("/")) return { type: requireType(first), names: others };
  const parsed = args.map((arg) => {
    const [word = "", name = "", ...more] = arg.split("/");
    if (name === "" || more.length > 0)
      throw usageError(`arguments in the form TYPE/NAME wanted, got "${arg}"`);
    return { type: requireType(word), name };
  });
  const type = parsed[0]?.type;
  if (type === undefined || parsed.some((entry) => entry.type !== type)) {
    throw usageError("all arguments must be of one type");
  }
  return { type, names: parsed.map(({ name }) => name) };
}

/** A pod's name, given as `NAME` or `pod/NAME`. Throws Usage. */
export function parsePodName(arg: string): string {
  if (!arg.includes("/")) return arg;
  const { type, names } = parseTypeAndNames([arg]);
  if (type.kind !== "Pod") throw usageError(`"${arg}" is not a pod`);
  return names[0] ?? "";
}

function requireType(word: string): ResourceType {
  const type = findResourceType(word);
  if (type === undefined) throw usageError(`the server doesn't have a resource type "${word}"`);
  return type;
}
