import { checkPod, subjectOf } from "../../diagnose/check-pod.ts";
import { type Finding, type FindingSubject, isAtLeast, type Severity } from "../../diagnose/finding.ts";
import { type WaysToTalk, waysToTalk } from "../../diagnose/ways-to-talk.ts";
import { readPods } from "../../manifest/read-pods.ts";
import type { ManifestProblem, Position } from "../../manifest/types.ts";
import type { SourceText } from "../manifests.ts";

/** What is said of one pod or pod template. */
export interface PodReport {
  readonly subject: FindingSubject;
  readonly position: Position;
  readonly talk: WaysToTalk;
  /** Those that count, in the order of the file. */
  readonly findings: readonly Finding[];
  readonly suppressed: readonly Finding[];
  /** How many findings are below the level that was asked for. */
  readonly below: number;
}

/** What a run of `peapod check` found out. */
export interface CheckReport {
  readonly pods: readonly PodReport[];
  /** What is invalid in the manifests, as every command says it. */
  readonly problems: readonly ManifestProblem[];
}

/** Checks all sources together: a Service in one file explains a name in another one. */
export function checkSources(sources: readonly SourceText[], level: Severity): CheckReport {
  const files = sources.map(({ text, name }) => readPods(text, name));
  const services = new Set(files.flatMap((file) => file.services));
  const pods = files
    .flatMap((file) => file.pods)
    .map((manifested) => {
      const findings = checkPod(manifested, services).sort(byPosition);
      const counting = findings.filter(({ suppressed }) => suppressed === undefined);
      const shown = counting.filter(({ severity }) => isAtLeast(severity, level));
      return {
        subject: subjectOf(manifested),
        position: manifested.positionOf(""),
        talk: waysToTalk(manifested.pod, manifested.kind),
        findings: shown,
        suppressed: findings.filter(({ suppressed }) => suppressed !== undefined),
        below: counting.length - shown.length,
      };
    });
  return { pods, problems: files.flatMap(({ problems }) => problems) };
}

/** The exit code for CI: 3 when a manifest is invalid, 1 when there are findings, else 0. */
export function exitCodeOf({ pods, problems }: CheckReport): number {
  if (problems.some(({ severity }) => severity === "error")) return 3;
  return pods.some(({ findings }) => findings.length > 0) ? 1 : 0;
}

function byPosition(a: Finding, b: Finding): number {
  const line = (a.position?.line ?? 0) - (b.position?.line ?? 0);
  return line === 0 ? (a.position?.column ?? 0) - (b.position?.column ?? 0) : line;
}
