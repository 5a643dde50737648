import type { Kind } from "../../measure/types.ts";
import { usageError } from "../parse-arguments.ts";

/** All kinds, in the order in which they are shown. */
export const kinds = ["tcp", "unix", "fifo", "shm", "shm-spin"] as const satisfies readonly Kind[];

/** The kinds of a list with commas. Throws `Usage`. */
export function parseKinds(text: string): Kind[] {
  return text.split(",").map((word) => {
    const kind = kinds.find((each) => each === word.trim());
    if (kind === undefined) throw usageError(`--kinds: "${word}" is none of ${kinds.join(", ")}`);
    return kind;
  });
}
