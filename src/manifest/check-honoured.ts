import { childPath, itemPath } from "../kube/field-path.ts";
import type { Pod } from "../kube/types.ts";
import { type NotHonoured, notHonoured } from "./not-honoured.ts";
import type { Problem } from "./problems.ts";

/** Every field of the pod that this version does not honour: refused ones as errors, the rest as warnings. */
export function checkHonoured(pod: Pod): Problem[] {
  return notHonoured.flatMap((rule) => {
    const roots = rule.path.startsWith("containers[]")
      ? ["containers", "initContainers", "ephemeralContainers"].map(
          (list) => list + rule.path.slice("containers".length),
        )
      : [rule.path];
    return roots
      .flatMap((path) => valuesAt(pod.spec, path.split("."), "spec"))
      .filter(({ value }) => asksForSomething(value, rule))
      .map(({ field }) => report(field, rule));
  });
}

function report(field: string, { action, instead }: NotHonoured): Problem {
  const severity = action === "refuse" ? "error" : "warning";
  const message = `not honoured by this version of Peapod: ${instead}`;
  return { severity, position: undefined, field, reason: "Unsupported", message };
}

function asksForSomething(value: unknown, { path, when }: NotHonoured): boolean {
  if (value === undefined || value === false || value === "") return false;
  // An empty source still makes a volume; any other empty object or list changes nothing.
  const empty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  if (empty && !path.startsWith("volumes[]")) return false;
  return when === undefined || when(value);
}

/** The values that a path of steps leads to, lists (`name[]`) branching into their items. */
function valuesAt(
  value: unknown,
  steps: readonly string[],
  field: string,
): { field: string; value: unknown }[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [{ field, value }];
  if (typeof value !== "object" || value === null) return [];
  const name = step.replace("[]", "");
  const next = (value as Record<string, unknown>)[name];
  const path = childPath(field, name);
  if (!step.endsWith("[]")) return valuesAt(next, rest, path);
  if (!Array.isArray(next)) return [];
  return next.flatMap((item, index) => valuesAt(item, rest, itemPath(path, index)));
}
