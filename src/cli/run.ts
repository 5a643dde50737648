import type { CommandGroup, CommandSpec, OptionSpecs } from "./command.ts";
import { isGroup } from "./command.ts";
import { globalOptions } from "./global-options.ts";
import { Interrupts } from "./interrupts.ts";
import { checkArgumentCount, parseArguments, usageError } from "./parse-arguments.ts";
import { commandLoaders, loadAllCommands } from "./registry.ts";
import { createSession, type GlobalValues, type Session } from "./session.ts";
import { writeText } from "./terminal.ts";

/**
 * Runs one command line and resolves with the exit code: 0 done, 1 failed, 2 usage, 3 invalid manifest, 130 after
 * Ctrl-C; `exec` passes on the command's own. Never rejects.
 */
export async function run(argv: readonly string[]): Promise<number> {
  const interrupts = new Interrupts();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interrupts.interrupt());
  let commandLine = "peapod";
  try {
    const found = await findCommand(argv);
    if (found.entry === undefined) {
      const { rootHelp } = await import("./help.ts");
      writeText(1, rootHelp(await loadAllCommands()));
      return 0;
    }
    commandLine = `peapod ${found.path.join(" ")}`;
    if (isGroup(found.entry)) {
      const { groupHelp } = await import("./help.ts");
      writeText(1, groupHelp(found.entry));
      return 0;
    }
    const specs: OptionSpecs = { ...globalOptions, ...found.entry.options };
    const { options, args, rest } = parseArguments(found.argv, specs);
    if (options.help === true) {
      const { commandHelp } = await import("./help.ts");
      writeText(1, commandHelp(found.path, found.entry));
      return 0;
    }
    checkArgumentCount(found.entry, args);
    const globals = options as unknown as GlobalValues;
    const local = createSession(globals, interrupts);
    const isElsewhere = globals.context !== undefined || globals.kubeconfig !== undefined;
    const session = isElsewhere ? await elsewhere(globals, local, found) : local;
    try {
      return await found.entry.run({
        options: options as never,
        args,
        rest,
        session,
        allCommands: loadAllCommands,
      });
    } catch (error) {
      if (session.cluster === undefined) throw error;
      const { explainMissing } = await import("./cluster/cluster-session.ts");
      throw explainMissing(error, session.cluster, commandLine);
    }
  } catch (error) {
    if (interrupts.signal.aborted) return 130;
    const { reportError } = await import("./report-error.ts");
    return reportError(error, commandLine, (text) => writeText(2, text));
  }
}

/** What kubectl's users type and only kubectl has. */
const kubectlVerbs = [
  "annotate",
  "api-resources",
  "apply",
  "auth",
  "autoscale",
  "cp",
  "create",
  "debug",
  "diff",
  "drain",
  "edit",
  "explain",
  "expose",
  "label",
  "patch",
  "replace",
  "rollout",
  "run",
  "scale",
  "set",
  "top",
  "wait",
];

interface FoundCommand {
  readonly entry: CommandSpec | CommandGroup | undefined;
  /** The words that led to it. */
  readonly path: readonly string[];
  /** The command line without these words. */
  readonly argv: readonly string[];
}

/** Verbs that are about this machine, whatever cluster there is. */
const onlyHere = ["node", "image", "kubeconfig"];

async function elsewhere(globals: GlobalValues, local: Session, { path }: FoundCommand): Promise<Session> {
  const [verb = ""] = path;
  if (onlyHere.includes(verb)) {
    throw usageError(
      `${verb} is about this machine's node: it can't be combined with --context or --kubeconfig`,
    );
  }
  const { clusterSession } = await import("./cluster/cluster-session.ts");
  return clusterSession(globals, local);
}

/** Finds the verb, which may stand behind global flags (`peapod -n x get pods`). Throws `Usage`. */
async function findCommand(argv: readonly string[]): Promise<FoundCommand> {
  const at = verbIndex(argv, 0);
  const word = argv[at];
  if (word === undefined && argv.includes("--version")) return findCommand(["version", "--client"]);
  if (word === undefined || word === "help") {
    // `peapod help get` is `peapod get --help`.
    if (word === "help" && argv[at + 1] !== undefined) return findCommand([...argv.slice(at + 1), "--help"]);
    parseArguments(argv.slice(0, at), globalOptions);
    return { entry: undefined, path: [], argv: [] };
  }
  const load = Object.hasOwn(commandLoaders, word) ? commandLoaders[word] : undefined;
  if (load === undefined) {
    const { nearest } = await import("./spelling.ts");
    const hint = kubectlVerbs.includes(word)
      ? `: kubectl has it ('peapod kubeconfig --merge', then 'kubectl --context peapod ${word}')`
      : await nearest(word, Object.keys(commandLoaders));
    throw usageError(`unknown command "${word}"${hint}`);
  }
  const entry = await load();
  const without = argv.toSpliced(at, 1);
  if (!isGroup(entry)) return { entry, path: [word], argv: without };

  const subAt = verbIndex(without, at);
  const subWord = without[subAt];
  if (subWord === undefined) return { entry, path: [word], argv: [] };
  const command = entry.commands.find(({ name }) => name === subWord);
  if (command === undefined) throw usageError(`unknown command "${subWord}" for "peapod ${word}"`);
  return { entry: command, path: [word, subWord], argv: without.toSpliced(subAt, 1) };
}

/** Index of the first word that is neither a flag nor a global flag's value. */
function verbIndex(argv: readonly string[], from: number): number {
  const valued = new Set(["-n", "--namespace", "--context", "--kubeconfig", "--state-dir", "--run-dir"]);
  let index = from;
  while (index < argv.length && argv[index]?.startsWith("-")) index += valued.has(argv[index] ?? "") ? 2 : 1;
  return index;
}
