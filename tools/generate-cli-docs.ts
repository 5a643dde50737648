import type { CommandSpec, OptionSpecs } from "../src/cli/command.ts";
import { globalOptions } from "../src/cli/global-options.ts";
import { flatCommands, optionSyntax, usageLine } from "../src/cli/help.ts";
import { loadAllCommands } from "../src/cli/registry.ts";

const introduction = `# Command line

<!-- Made by tools/generate-cli-docs.ts from src/cli/commands: \`npm run generate\`. -->

\`peapod\` has kubectl's verbs, flags, output formats and messages wherever kubectl has them. Flags may stand before or
behind arguments; a flag's value follows it or an \`=\`; the value of an on-off flag only an \`=\` (\`--wait=false\`);
everything behind \`--\` is left alone.

The node daemon starts by itself when a command needs it (\`node status\`, \`node stop\` and \`version\` do not).

## Exit codes

| Code | Meaning                                                          |
| ---- | ---------------------------------------------------------------- |
| 0    | done                                                             |
| 1    | failed                                                           |
| 2    | the command line is wrong                                        |
| 3    | a manifest is invalid; nothing was applied                       |
| 130  | ended by Ctrl-C                                                  |

\`exec\` ends with the exit code of the command that it ran.

## Environment

| Variable           | Meaning                                       |
| ------------------ | --------------------------------------------- |
| \`PEAPOD_STATE_DIR\` | default of \`--state-dir\`                      |
| \`PEAPOD_RUN_DIR\`   | default of \`--run-dir\`                        |
| \`PEAPOD_NO_AUTOSTART\` | 1: never start the node daemon by itself       |
| \`NO_COLOR\`         | when set and not empty: the same as \`--no-color\` |
`;

/** docs/reference/cli.md, made from the commands' own data. */
export async function cliReference(): Promise<string> {
  const commands = flatCommands(await loadAllCommands());
  return [
    introduction,
    `## Global flags\n\n${optionTable(globalOptions)}`,
    ...commands.map(({ path, command }) => commandSection(path, command)),
  ].join("\n");
}

function commandSection(path: readonly string[], command: CommandSpec): string {
  const examples = command.examples.map(({ text, command }) => `# ${text}\n${command}\n`).join("\n");
  return [
    `## peapod ${path.join(" ")}\n`,
    `${command.summary}.\n`,
    ...(command.description === undefined ? [] : [`${command.description}\n`]),
    `    ${usageLine(path, command)}\n`,
    ...(Object.keys(command.options).length === 0 ? [] : [optionTable(command.options)]),
    ...(examples === "" ? [] : [`\`\`\`sh\n${examples}\`\`\`\n`]),
  ].join("\n");
}

function optionTable(options: OptionSpecs): string {
  const rows = Object.entries(options).map(([name, spec]) => {
    const syntax = `\`${optionSyntax(name, spec)}\``.replaceAll("|", "\\|");
    return `| ${syntax} | ${spec.summary.replaceAll("|", "\\|")} |\n`;
  });
  return `| Flag | Meaning |\n| --- | --- |\n${rows.join("")}`;
}
