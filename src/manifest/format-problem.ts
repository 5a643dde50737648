import type { ManifestProblem } from "./types.ts";

/**
 * One line for one problem: `pod.yaml:14:5: spec.containers[0].image: Required value`. Warnings say so after
 * the place; what is absent (position, field) leaves no trace.
 */
export function formatProblem(problem: ManifestProblem): string {
  const { position, severity, field, message } = problem;
  const parts = [
    ...(position === undefined ? [] : [`${position.source}:${position.line}:${position.column}`]),
    ...(severity === "warning" ? ["warning"] : []),
    ...(field === "" ? [] : [field]),
    message,
  ];
  return parts.join(": ");
}
