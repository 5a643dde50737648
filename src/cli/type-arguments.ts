import { errorCode } from "../base/errors.ts";
import type { DiscoveredType } from "../client/discovery.ts";
import { findResourceType, isCalled, type ResourceType, resourceTypes } from "../client/resources.ts";
import { usageError } from "./parse-arguments.ts";
import type { Session } from "./session.ts";
import { nearest } from "./spelling.ts";

/** A type and the names given with it: `pods`, `pod a b`, `pod/a pod/b`. */
export interface TypeAndNames {
  readonly type: ResourceType;
  readonly names: readonly string[];
}

/**
 * Reads `TYPE[,TYPE…] [NAME…]` or `TYPE/NAME…`, where a TYPE may be a category (`all`). The types are those of the
 * server, which is asked only about words that are not known here. Throws Usage.
 */
export async function parseTypesAndNames(
  args: readonly string[],
  session: Pick<Session, "client" | "scope">,
): Promise<TypeAndNames[]> {
  const [first = "", ...others] = args;
  if (!args.some((arg) => arg.includes("/"))) {
    const types = (await Promise.all(first.split(",").map((word) => typesCalled(word, session)))).flat();
    return types.map((type) => ({ type, names: others }));
  }
  const groups = new Map<ResourceType, string[]>();
  for (const arg of args) {
    const [word = "", name = "", ...more] = arg.split("/");
    if (name === "" || more.length > 0)
      throw usageError(`arguments in the form TYPE/NAME wanted, got "${arg}"`);
    for (const type of await typesCalled(word, session)) {
      const known = [...groups.keys()].find(
        (each) => each.kind === type.kind && each.apiVersion === type.apiVersion,
      );
      groups.set(known ?? type, [...(groups.get(known ?? type) ?? []), name]);
    }
  }
  return [...groups].map(([type, names]) => ({ type, names }));
}

/** The same for commands that work with one type at a time. Throws Usage. */
export async function parseTypeAndNames(
  args: readonly string[],
  session: Pick<Session, "client" | "scope">,
): Promise<TypeAndNames> {
  const [only, ...others] = await parseTypesAndNames(args, session);
  if (only === undefined || others.length > 0) throw usageError("all arguments must be of one type");
  return only;
}

/** A pod's name, given as `NAME` or `pod/NAME`. Throws Usage. */
export function parsePodName(arg: string): string {
  const [word = "", name = "", ...more] = arg.split("/");
  if (!arg.includes("/")) return arg;
  if (name === "" || more.length > 0)
    throw usageError(`arguments in the form TYPE/NAME wanted, got "${arg}"`);
  if (findResourceType(word)?.kind !== "Pod") throw usageError(`"${arg}" is not a pod`);
  return name;
}

async function typesCalled(
  word: string,
  { client, scope }: Pick<Session, "client" | "scope">,
): Promise<readonly ResourceType[]> {
  const known = findResourceType(word);
  if (known !== undefined) return [known];
  let discovered: readonly DiscoveredType[] = [];
  try {
    discovered = await client.types(scope);
  } catch (error) {
    // Where no node may be started, the word is most likely wrong.
    if (errorCode(error) !== "NodeUnreachable") throw error;
  }
  const category = discovered.filter(({ categories }) => categories.includes(word.toLowerCase()));
  if (category.length > 0) return category;
  const found = discovered.find((type) => isCalled(type, word));
  if (found !== undefined) return [found];
  const words = [...resourceTypes, ...discovered].flatMap(({ plural, singular }) => [plural, singular]);
  throw usageError(`the server doesn't have a resource type "${word}"${await nearest(word, words)}`);
}
