import { severities } from "../../diagnose/finding.ts";
import type { CheckReport } from "./report.ts";

/** The report as data; docs/reference/check.md has its fields. */
export function reportObject({ pods, problems }: CheckReport): object {
  const findings = pods.flatMap((pod) => pod.findings);
  const suppressed = pods.flatMap((pod) => pod.suppressed);
  const counts = severities.map((severity) => [
    severity,
    findings.filter((one) => one.severity === severity).length,
  ]);
  return {
    apiVersion: "peapod.dev/v1alpha1",
    kind: "CheckReport",
    pods: pods.map(({ subject, position, talk }) => ({ ...subject, position, ...talk })),
    findings,
    suppressed,
    problems,
    summary: {
      pods: pods.length,
      ...Object.fromEntries(counts),
      suppressed: suppressed.length,
      invalid: problems.filter(({ severity }) => severity === "error").length,
    },
  };
}
