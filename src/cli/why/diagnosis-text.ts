import type { Diagnosis, LiveFinding, ReachAnswer } from "../../diagnose/live/diagnosis.ts";
import type { LiveEvidence } from "../../diagnose/live/view.ts";
import { type Style, styled, type Terminal } from "../terminal.ts";

const styles: Readonly<Record<LiveFinding["severity"], Style>> = {
  error: "red",
  warning: "yellow",
  info: "blue",
};

/**
 * A diagnosis for a person: the answer first where something was asked, then each finding with what happens, why,
 * what was seen and the shortest fix.
 */
export function formatDiagnosis(diagnosis: Diagnosis, terminal: Pick<Terminal, "colour">): string {
  const { answer, findings, metadata, missing } = diagnosis;
  const blocks = [
    ...(answer === undefined ? [] : [formatAnswer(answer, terminal)]),
    ...(findings.length === 0 && answer === undefined
      ? [`pod/${metadata.name}: nothing is wrong that could be seen\n`]
      : []),
    ...(answer === undefined
      ? findings.map((finding) => formatFinding(finding, terminal))
      : findings.length === 0
        ? []
        : [summarize(diagnosis, terminal)]),
    ...missing.map(({ layer, reason }) => `Not seen on this machine: ${layer} (${reason})\n`),
  ];
  return blocks.join("\n");
}

/** Beside an answer, what else is wrong with the two is named only. */
function summarize({ findings, metadata }: Diagnosis, terminal: Pick<Terminal, "colour">): string {
  return [
    `Found about these containers (peapod why ${metadata.name}):`,
    ...findings.map(
      ({ severity, message, rule }) =>
        `  ${styled(terminal, styles[severity], severity)}: ${message} [${rule}]`,
    ),
    "",
  ].join("\n");
}

function formatAnswer(answer: ReachAnswer, terminal: Pick<Terminal, "colour">): string {
  const { reachable, because, evidence, fix } = answer;
  const [first = "", ...others] = because;
  const word = { Yes: "yes", No: "no", Unknown: "not known" }[reachable];
  const style = ({ Yes: "green", No: "red", Unknown: "yellow" } as const)[reachable];
  return [
    `${styled(terminal, style, word)}${reachable === "Yes" ? ", " : ": "}${first}`,
    ...others.map((line) => `  also: ${line}`),
    ...evidenceLines(evidence, "seen:"),
    ...(fix === undefined ? [] : [`  fix:  ${plain(fix)}`]),
    "",
  ].join("\n");
}

function formatFinding(finding: LiveFinding, terminal: Pick<Terminal, "colour">): string {
  const { severity, message, rule, reality, evidence, fix, docs } = finding;
  return [
    `${styled(terminal, styles[severity], severity)}: ${message} [${rule}]`,
    `  why:  ${plain(reality)}`,
    ...evidenceLines(evidence, "seen:"),
    `  fix:  ${plain(fix)}`,
    `  more: ${docs}`,
    "",
  ].join("\n");
}

function evidenceLines(evidence: readonly LiveEvidence[], label: string): string[] {
  return evidence.map(
    ({ source, detail }, index) => `  ${index === 0 ? label : "     "} ${source}: ${detail}`,
  );
}

/** Texts of rules are Markdown; a terminal shows emphasis by nothing at all. */
function plain(markdown: string): string {
  return markdown.replaceAll("**", "");
}
