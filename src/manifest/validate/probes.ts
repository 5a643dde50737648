import { childPath } from "../../kube/field-path.ts";
import type { Container, Probe } from "../../kube/types.ts";
import { invalid, type Problem } from "../problems.ts";
import { validateHandler } from "./handlers.ts";
import { notNegative } from "./values.ts";

const counters = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

/** Rules for a container's liveness, readiness and startup probes. */
export function validateProbes(containerPath: string, container: Container): Problem[] {
  const problems: Problem[] = [];
  for (const name of ["livenessProbe", "startupProbe"] as const) {
    const path = childPath(containerPath, name);
    const probe = container[name];
    problems.push(...validateProbe(path, probe));
    if (probe !== undefined && probe.successThreshold !== 1) {
      problems.push(invalid(childPath(path, "successThreshold"), probe.successThreshold, "must be 1"));
    }
  }
  const readinessPath = childPath(containerPath, "readinessProbe");
  const readiness = container.readinessProbe;
  problems.push(...validateProbe(readinessPath, readiness));
  if (readiness?.terminationGracePeriodSeconds !== undefined) {
    const field = childPath(readinessPath, "terminationGracePeriodSeconds");
    problems.push(
      invalid(field, readiness.terminationGracePeriodSeconds, "must not be set for readinessProbes"),
    );
  }
  return problems;
}

function validateProbe(path: string, probe: Probe | undefined): Problem[] {
  if (probe === undefined) return [];
  const problems = validateHandler(path, probe);
  for (const name of counters) problems.push(...notNegative(childPath(path, name), probe[name]));
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    problems.push(invalid(childPath(path, "terminationGracePeriodSeconds"), grace, "must be greater than 0"));
  }
  return problems;
}
