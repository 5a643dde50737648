import type { Position } from "../manifest/types.ts";

/**
 * How bad a finding is. `error`: it will not work as written. `warning`: most likely not what was meant.
 * `info`: it works, but behaves in a way that often surprises.
 */
export type Severity = "error" | "warning" | "info";

/** From the worst down. */
export const severities = ["error", "warning", "info"] as const satisfies readonly Severity[];

/** Whether `severity` is as bad as `level` or worse. */
export function isAtLeast(severity: Severity, level: Severity): boolean {
  return severities.indexOf(severity) <= severities.indexOf(level);
}

/** The object that a finding is about. */
export interface FindingSubject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty where the manifest has none (`generateName`). */
  readonly name: string;
  readonly namespace: string | undefined;
}

/** A field that matters to a finding, and where it stands. */
export interface FindingPlace {
  /** Path of the field in its object, as Kubernetes writes it. */
  readonly field: string;
  /** Absent where the object has no lines, because it came over the wire. */
  readonly position: Position | undefined;
}

/** One diagnosis: what was seen, what Kubernetes makes of it, and how to put it right. */
export interface Finding extends FindingPlace {
  /** Id of the rule: `docs/rules/<rule>.md` explains it. */
  readonly rule: string;
  readonly severity: Severity;
  readonly subject: FindingSubject;
  /** Other fields that belong to it, for instance the first of two equal ports. */
  readonly related: readonly FindingPlace[];
  /** What was seen, by name: a sentence without capital and full stop. */
  readonly message: string;
  /** What Kubernetes or the kernel really does. */
  readonly reality: string;
  /** The shortest way out. */
  readonly fix: string;
  /** Path of our own page, from the root of the repository or the package. */
  readonly docs: string;
  /** Page of Kubernetes' documentation. */
  readonly upstream: string;
  /** The reason given by whoever suppressed the finding; undefined for a finding that counts. */
  readonly suppressed: string | undefined;
}
