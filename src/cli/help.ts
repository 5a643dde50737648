import type { CommandGroup, CommandSpec, OptionSpecs } from "./command.ts";
import { isGroup } from "./command.ts";
import { globalOptions } from "./global-options.ts";

/** `peapod --help`. */
export function rootHelp(commands: readonly (CommandSpec | CommandGroup)[]): string {
  return [
    "Runs Kubernetes pods on this machine and shows how their containers talk.\n",
    "Usage: peapod COMMAND [flags]\n",
    `Commands:\n${twoColumns(commands.map(({ name, summary }) => [name, summary]))}`,
    `Global flags:\n${optionLines(globalOptions)}`,
    "'peapod COMMAND --help' says more about a command.\n",
  ].join("\n");
}

/** `peapod node --help`. */
export function groupHelp(group: CommandGroup): string {
  return [
    `${group.summary}\n`,
    `Usage: peapod ${group.name} COMMAND [flags]\n`,
    `Commands:\n${twoColumns(group.commands.map(({ name, summary }) => [name, summary]))}`,
  ].join("\n");
}

/** `peapod get --help`. */
export function commandHelp(path: readonly string[], command: CommandSpec): string {
  const examples = command.examples.map(({ text, command }) => `  # ${text}\n  ${command}\n`).join("\n");
  return [
    `${command.summary}\n`,
    ...(command.description === undefined ? [] : [`${wrap(command.description, 100)}\n`]),
    `Usage: ${usageLine(path, command)}\n`,
    ...(examples === "" ? [] : [`Examples:\n${examples}`]),
    ...(Object.keys(command.options).length === 0 ? [] : [`Flags:\n${optionLines(command.options)}`]),
    `Global flags:\n${optionLines(globalOptions)}`,
  ].join("\n");
}

/** `peapod get TYPE [NAME...] [flags]`. */
export function usageLine(path: readonly string[], command: CommandSpec): string {
  return ["peapod", ...path, command.usage, "[flags]"].filter((word) => word !== "").join(" ");
}

/** `-o, --output FORMAT`. */
export function optionSyntax(name: string, { short, value }: OptionSpecs[string]): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
}

/** All commands with their full path; groups are taken apart. */
export function flatCommands(
  entries: readonly (CommandSpec | CommandGroup)[],
): { path: string[]; command: CommandSpec }[] {
  return entries.flatMap((entry) =>
    isGroup(entry)
      ? entry.commands.map((command) => ({ path: [entry.name, command.name], command }))
      : [{ path: [entry.name], command: entry }],
  );
}

function optionLines(options: OptionSpecs): string {
  const rows = Object.entries(options).map(([name, spec]) => {
    const syntax = optionSyntax(name, spec);
    return [spec.short === undefined ? `    ${syntax}` : syntax, spec.summary] as const;
  });
  return twoColumns(rows);
}

function twoColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}\n`).join("");
}

function wrap(text: string, width: number): string {
  return text
    .split("\n")
    .map((paragraph) => paragraph.replaceAll(new RegExp(`(.{1,${width}})(?: +|$)`, "g"), "$1\n").trimEnd())
    .join("\n");
}
