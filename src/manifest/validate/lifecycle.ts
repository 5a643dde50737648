import { childPath } from "../../kube/field-path.ts";
import type { Container, PodSpec } from "../../kube/types.ts";
import { forbidden, invalid, type Problem } from "../problems.ts";
import { validateHandler } from "./handlers.ts";

/** Rules for a container's `postStart` and `preStop` hooks and its stop signal. */
export function validateLifecycle(containerPath: string, { lifecycle }: Container, spec: PodSpec): Problem[] {
  if (lifecycle === undefined) return [];
  const path = childPath(containerPath, "lifecycle");
  const problems: Problem[] = [];
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  for (const name of ["postStart", "preStop"] as const) {
    const handler = lifecycle[name];
    if (handler === undefined) continue;
    const hookPath = childPath(path, name);
    problems.push(...validateHandler(hookPath, handler));
    const seconds = handler.sleep?.seconds;
    if (seconds !== undefined && (seconds < 0 || seconds > grace)) {
      const detail = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
      problems.push(invalid(`${hookPath}.sleep.seconds`, seconds, detail));
    }
  }
  if (lifecycle.stopSignal !== undefined && spec.os?.name === undefined) {
    problems.push(
      forbidden(childPath(path, "stopSignal"), "may not be set for containers with no spec.os.name"),
    );
  }
  return problems;
}
