import type { Position } from "../../manifest/types.ts";
import type { CheckReport } from "./report.ts";

const commands = { error: "error", warning: "warning", info: "notice" } as const;

/**
 * The report as workflow commands, which GitHub Actions shows as annotations beside the lines
 * (https://docs.github.com/actions/reference/workflow-commands-for-github-actions). Suppressed findings are left out.
 */
export function githubCommands({ pods, problems }: CheckReport): string {
  const findings = pods
    .flatMap((pod) => pod.findings)
    .map(({ severity, position, rule, message, fix }) =>
      command(commands[severity], position, rule, `${message}\nFix: ${fix}`),
    );
  const invalid = problems.map(({ severity, position, field, message }) =>
    command(
      commands[severity],
      position,
      "invalid manifest",
      field === "" ? message : `${field}: ${message}`,
    ),
  );
  return [...invalid, ...findings].join("");
}

function command(name: string, position: Position | undefined, title: string, message: string): string {
  const properties = {
    ...(position === undefined ? {} : { file: position.source, line: position.line, col: position.column }),
    title,
  };
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${name} ${list.join(",")}::${escapeData(message)}\n`;
}

// As @actions/core escapes them: the runner undoes exactly these.
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
