import { defineCommand } from "../command.ts";
import { completionScript, shells } from "../completion-script.ts";
import { usageError } from "../parse-arguments.ts";

export const completion = defineCommand({
  name: "completion",
  summary: "Print a completion script for a shell",
  usage: "(bash | zsh | fish)",
  args: { min: 1, max: 1 },
  completes: shells,
  options: {},
  examples: [
    { text: "bash, now", command: ". <(peapod completion bash)" },
    { text: "zsh, for good", command: "peapod completion zsh > ~/.zfunc/_peapod" },
    { text: "fish, for good", command: "peapod completion fish > ~/.config/fish/completions/peapod.fish" },
  ],
  async run({ args, session, allCommands }) {
    const shell = shells.find((name) => name === args[0]);
    if (shell === undefined)
      throw usageError(`unsupported shell "${args[0]}"; want one of ${shells.join(", ")}`);
    session.terminal.out(completionScript(shell, await allCommands()));
    return 0;
  },
});
