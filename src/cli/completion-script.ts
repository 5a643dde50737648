import { resourceTypes } from "../client/resources.ts";
import type { CommandGroup, CommandSpec, OptionSpecs } from "./command.ts";
import { isGroup } from "./command.ts";
import { globalOptions } from "./global-options.ts";
import { flatCommands } from "./help.ts";

/** Shells that a script can be made for. */
export const shells = ["bash", "zsh", "fish"] as const;

/** A script that completes verbs, flags, values and pod names, made from the commands' data. */
export function completionScript(
  shell: (typeof shells)[number],
  entries: readonly (CommandSpec | CommandGroup)[],
): string {
  const cases = flatCommands(entries).map(({ path, command }) => ({ words: path.join(" "), command }));
  if (shell === "fish") return fishScript(entries);
  const bash = bashScript(entries, cases);
  // zsh runs bash completions; the file may be autoloaded (then it completes at once) or sourced.
  return shell === "bash" ? bash : `#compdef peapod\nautoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

function flagsOf(command: CommandSpec): string {
  return Object.keys({ ...command.options, ...globalOptions })
    .map((name) => `--${name}`)
    .join(" ");
}

function bashScript(
  entries: readonly (CommandSpec | CommandGroup)[],
  cases: readonly { words: string; command: CommandSpec }[],
): string {
  const groups = entries.filter(isGroup);
  return `# bash completion for peapod; made by 'peapod completion bash'.
_peapod_pods() { peapod get pods -o name 2>/dev/null | sed 's|^pod/||'; }
_peapod() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} verb= group= words= word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case $word in
      -n|--namespace|--state-dir|--run-dir) ((index++)) ;;
      -*) ;;
      *) if [ -z "$verb" ]; then verb=$word; elif [ -z "$group" ]; then group=$word; fi ;;
    esac
  done
  COMPREPLY=()
  case "$verb" in
    "") words="${entries.map(({ name }) => name).join(" ")}"; [[ $current == -* ]] && words="${globalFlags()}" ;;
${groups.map((group) => `    ${group.name}) if [ -z "$group" ]; then words="${group.commands.map(({ name }) => name).join(" ")}"; else verb="$verb $group"; fi ;;`).join("\n")}
  esac
  case "$previous" in
    -f|--filename|--registries-conf) compopt -o default; return ;;
    --state-dir|--run-dir|--cni-conf-dir) compopt -o dirnames; return ;;
  esac
  if [ -z "$words" ]; then
    case "$verb" in
${cases.map(({ words, command }) => `      "${words}") ${bashCase(command)} ;;`).join("\n")}
    esac
  fi
  while read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$current")
}
complete -F _peapod peapod
`;
}

function bashCase(command: CommandSpec): string {
  const values = Object.entries(command.options)
    .filter(([, { choices }]) => choices !== undefined)
    .map(([name, { short, choices = [] }]) => {
      const flags = short === undefined ? `--${name}` : `-${short}|--${name}`;
      return `${flags}) words="${choices.join(" ")}" ;;`;
    });
  const whenValue = values.length === 0 ? "" : `case "$previous" in ${values.join(" ")} esac; `;
  return `${whenValue}if [ -z "$words" ]; then if [[ $current == -* ]]; then words="${flagsOf(command)}"; else ${bashArguments(command)}; fi; fi`;
}

function bashArguments({ completes }: CommandSpec): string {
  if (completes === "pods") return 'words="$(_peapod_pods)"';
  if (completes === "files") return "compopt -o default; return";
  if (completes === "types") {
    const types = resourceTypes.map(({ plural }) => plural).join(" ");
    const isPod =
      resourceTypes[0] === undefined ? "" : [resourceTypes[0].plural, resourceTypes[0].singular].join("|");
    return `case "$group" in "") words="${types}" ;; ${isPod}|po) words="$(_peapod_pods)" ;; esac`;
  }
  return completes === undefined ? ":" : `words="${completes.join(" ")}"`;
}

function globalFlags(): string {
  return Object.keys(globalOptions)
    .map((name) => `--${name}`)
    .join(" ");
}

function fishScript(entries: readonly (CommandSpec | CommandGroup)[]): string {
  const lines = [
    "# fish completion for peapod; made by 'peapod completion fish'.",
    "function __peapod_pods; peapod get pods -o name 2>/dev/null | string replace 'pod/' ''; end",
    "complete -c peapod -f",
  ];
  for (const entry of entries) {
    lines.push(`complete -c peapod -n __fish_use_subcommand -a ${entry.name} -d ${quote(entry.summary)}`);
    if (!isGroup(entry)) continue;
    const names = entry.commands.map(({ name }) => name).join(" ");
    for (const { name, summary } of entry.commands) {
      const when = `__fish_seen_subcommand_from ${entry.name}; and not __fish_seen_subcommand_from ${names}`;
      lines.push(`complete -c peapod -n ${quote(when)} -a ${name} -d ${quote(summary)}`);
    }
  }
  for (const { path, command } of flatCommands(entries)) {
    const when = quote(path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and "));
    const options: OptionSpecs = { ...command.options, ...globalOptions };
    for (const [name, { short, summary, choices, type, value: placeholder = "" }] of Object.entries(
      options,
    )) {
      const shortFlag = short === undefined ? "" : ` -s ${short}`;
      const value =
        type === "boolean" ? "" : choices === undefined ? " -r" : ` -x -a ${quote(choices.join(" "))}`;
      const file = /^(FILE|DIR)$/.test(placeholder) ? " -F" : "";
      lines.push(`complete -c peapod -n ${when} -l ${name}${shortFlag}${value}${file} -d ${quote(summary)}`);
    }
    const { completes } = command;
    if (completes === "pods") lines.push(`complete -c peapod -n ${when} -a '(__peapod_pods)'`);
    else if (completes === "files") lines.push(`complete -c peapod -n ${when} -F`);
    else if (completes === "types") {
      lines.push(
        `complete -c peapod -n ${when} -a ${quote(resourceTypes.map(({ plural }) => plural).join(" "))}`,
      );
      lines.push(
        `complete -c peapod -n ${quote(`__fish_seen_subcommand_from ${path.join(" ")}; and __fish_seen_subcommand_from pod pods po`)} -a '(__peapod_pods)'`,
      );
    } else if (completes !== undefined)
      lines.push(`complete -c peapod -n ${when} -a ${quote(completes.join(" "))}`);
  }
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
