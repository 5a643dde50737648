import type { Session } from "./session.ts";

/** One flag. Its name in the table is the flag's own, so that there is one spelling. */
export interface OptionSpec {
  readonly type: "boolean" | "string" | "strings" | "integer" | "duration";
  /** One letter. */
  readonly short?: string;
  /** Placeholder of the value in the help. */
  readonly value?: string;
  readonly summary: string;
  /** The only values allowed. */
  readonly choices?: readonly string[];
  readonly default?: boolean | string | number;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

interface ValueOf {
  boolean: boolean;
  string: string | undefined;
  strings: readonly string[];
  integer: number | undefined;
  /** Milliseconds. */
  duration: number | undefined;
}

/** What the user gave (or the default) for every option of a table. */
export type OptionValues<O extends OptionSpecs> = { readonly [K in keyof O]: ValueOf[O[K]["type"]] };

/** What a command is run with. */
export interface Invocation<O extends OptionSpecs = OptionSpecs> {
  readonly options: OptionValues<O>;
  /** Arguments before `--`. */
  readonly args: readonly string[];
  /** Arguments after `--`; undefined when there was no `--`. */
  readonly rest: readonly string[] | undefined;
  readonly session: Session;
  /** Every command's data, for those that speak of the others. */
  readonly allCommands: () => Promise<readonly (CommandSpec | CommandGroup)[]>;
}

/**
 * A verb of the CLI as data: parsing, help, docs/reference/cli.md and shell completion are all made from it.
 * `run` resolves with the exit code; what it throws is printed by `run.ts`.
 */
export interface CommandSpec<O extends OptionSpecs = OptionSpecs> {
  readonly name: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** More, in paragraphs. */
  readonly description?: string;
  /** The arguments as the usage line shows them, e.g. `POD [-c CONTAINER]`. */
  readonly usage: string;
  /** How many arguments before `--` are allowed. */
  readonly args: { readonly min: number; readonly max: number };
  /** What completion offers for the arguments. */
  readonly completes?: "pods" | "types" | "files" | readonly string[];
  readonly options: O;
  readonly examples: readonly { readonly text: string; readonly command: string }[];
  run(invocation: Invocation<O>): Promise<number>;
}

/** A word that only groups verbs: `node start`, `image list`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandSpec[];
}

/** Keeps the option table's exact type for `run`, and forgets it for those who only read the data. */
export function defineCommand<const O extends OptionSpecs>(spec: CommandSpec<O>): CommandSpec {
  return spec as unknown as CommandSpec;
}

/** Whether the word groups verbs. */
export function isGroup(entry: CommandSpec | CommandGroup): entry is CommandGroup {
  return "commands" in entry;
}
