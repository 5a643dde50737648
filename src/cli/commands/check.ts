import { PeapodError } from "../../base/errors.ts";
import { type Severity, severities } from "../../diagnose/finding.ts";
import { formatProblem } from "../../manifest/format-problem.ts";
import { type CheckReport, checkSources, exitCodeOf } from "../check/report.ts";
import { defineCommand } from "../command.ts";
import { readSources, type SourceText } from "../manifests.ts";
import { usageError } from "../parse-arguments.ts";
import type { Session } from "../session.ts";

export const check = defineCommand({
  name: "check",
  summary: "Say what is wrong with manifests before anything runs",
  description:
    "Reads manifests for any Kubernetes (Pods, and the pod templates of workloads), says for each pod how its " +
    "containers can talk, and finds what people get wrong about containers in one pod. Needs neither a node nor " +
    "root.\n\n" +
    'The annotation peapod.dev/ignore.RULE: "REASON" on the object keeps a rule quiet.\n\n' +
    "Exit codes: 0 nothing found at the level of --severity or above, 1 something found, 2 usage or unreadable file, 3 invalid manifest.",
  usage: "FILE|DIR|-|URL…",
  args: { min: 0, max: Number.POSITIVE_INFINITY },
  completes: "files",
  options: {
    output: {
      type: "string",
      short: "o",
      value: "FORMAT",
      choices: ["table", "json", "sarif", "github"],
      default: "table",
      summary: "table (for a person), json, sarif (2.1.0) or github (workflow commands)",
    },
    severity: {
      type: "string",
      value: "LEVEL",
      choices: severities,
      default: "warning",
      summary: "Least severe finding that is shown and counts: error, warning or info (default warning)",
    },
    filename: {
      type: "strings",
      short: "f",
      value: "FILE",
      summary: "The same as FILE: what `up -f` takes can be checked with the same words",
    },
    recursive: { type: "boolean", short: "R", summary: "Read the folders below a folder too" },
  },
  examples: [
    { text: "One file, for a person", command: "peapod check pod.yaml" },
    {
      text: "What a chart makes, with every note",
      command: "helm template . | peapod check --severity info -",
    },
    { text: "Annotations in a GitHub workflow", command: "peapod check -R -o github manifests/" },
  ],
  async run({ args, options, session }) {
    const sources = [...options.filename, ...args];
    if (sources.length === 0) throw usageError("check needs FILE|DIR|-|URL…");
    const report = checkSources(
      await readAll(sources, options.recursive, session),
      options.severity as Severity,
    );
    for (const problem of report.problems) session.terminal.err(`${formatProblem(problem)}\n`);
    session.terminal.out(await format(report, options.output ?? "table", session));
    return exitCodeOf(report);
  },
});

/** A file that can't be read is a mistake in the command line, not a finding. */
async function readAll(
  args: readonly string[],
  recursive: boolean,
  { scope }: Session,
): Promise<SourceText[]> {
  try {
    return await readSources(args, recursive, scope);
  } catch (error) {
    if (error instanceof PeapodError) throw usageError(error.message);
    throw error;
  }
}

async function format(report: CheckReport, output: string, { terminal }: Session): Promise<string> {
  switch (output) {
    case "json": {
      const { reportObject } = await import("../check/json.ts");
      const { formatJson } = await import("../printers/json.ts");
      return formatJson(reportObject(report));
    }
    case "sarif": {
      const { sarifLog } = await import("../check/sarif.ts");
      return `${JSON.stringify(sarifLog(report), undefined, 2)}\n`;
    }
    case "github":
      return (await import("../check/github.ts")).githubCommands(report);
    default:
      return (await import("../check/text.ts")).formatReport(report, terminal);
  }
}
