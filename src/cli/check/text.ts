import { type Finding, severities } from "../../diagnose/finding.ts";
import { describeWays } from "../../diagnose/ways-to-talk.ts";
import type { Position } from "../../manifest/types.ts";
import { type Style, styled, type Terminal } from "../terminal.ts";
import type { CheckReport, PodReport } from "./report.ts";

const styles: Readonly<Record<Finding["severity"], Style>> = {
  error: "red",
  warning: "yellow",
  info: "blue",
};

/**
 * The report for a person: for each pod one line of how its containers can talk, then its findings. What Kubernetes
 * really does is said once per rule.
 */
export function formatReport(report: CheckReport, terminal: Pick<Terminal, "colour">): string {
  const explained = new Set<string>();
  const blocks = report.pods.map((pod) => {
    const lines = [
      `${placeText(pod.position)}: ${styled(terminal, "bold", nameOf(pod))}: ${describeWays(pod.talk)}`,
    ];
    for (const finding of pod.findings) {
      lines.push(...findingLines(finding, !explained.has(finding.rule), terminal));
      explained.add(finding.rule);
    }
    return `${lines.join("\n")}\n`;
  });
  return [...blocks, `${summary(report)}\n`].join("\n");
}

function findingLines(finding: Finding, explain: boolean, terminal: Pick<Terminal, "colour">): string[] {
  const { position, severity, field, message, rule, reality, fix, docs, upstream, related } = finding;
  return [
    `  ${placeText(position)}: ${styled(terminal, styles[severity], severity)}: ${field}: ${message} [${rule}]`,
    ...related.map((place) => `      with: ${placeText(place.position)}: ${place.field}`),
    ...(explain ? [`      what really happens: ${plain(reality)}`] : []),
    `      fix: ${plain(fix)}`,
    ...(explain ? [`      more: ${docs} ${upstream}`] : []),
  ];
}

function nameOf({ subject: { kind, name, namespace } }: PodReport): string {
  const full = namespace === undefined ? name : `${namespace}/${name}`;
  return full === "" ? kind : `${kind} ${full}`;
}

function summary({ pods, problems }: CheckReport): string {
  if (pods.length === 0) return "no pods found";
  const findings = pods.flatMap((pod) => pod.findings);
  const counts = severities.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [counted(count, severity === "info" ? "note" : severity)];
  });
  const suppressed = pods.flatMap((pod) => pod.suppressed).length;
  const below = pods.reduce((sum, pod) => sum + pod.below, 0);
  const invalid = problems.filter(({ severity }) => severity === "error").length;
  return [
    `${counted(pods.length, "pod")}: ${counts.length === 0 ? "nothing found" : counts.join(", ")}`,
    ...(suppressed === 0 ? [] : [`${suppressed} suppressed`]),
    ...(below === 0 ? [] : [`${below} less severe not shown (--severity info)`]),
    ...(invalid === 0 ? [] : [`${counted(invalid, "validation error")}`]),
  ].join("; ");
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** Texts of rules are Markdown; a terminal shows emphasis by nothing at all. */
function plain(markdown: string): string {
  return markdown.replaceAll("**", "");
}

function placeText(position: Position | undefined): string {
  return position === undefined ? "" : `${position.source}:${position.line}:${position.column}`;
}
