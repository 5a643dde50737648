import { execPath, exec as runInContainer } from "../../client/exec.ts";
import { chooseContainer } from "../choose-container.ts";
import { defineCommand } from "../command.ts";
import { hasTerminal, openPod } from "../open-pod.ts";
import { usageError } from "../parse-arguments.ts";
import { takeTerminal } from "../raw-terminal.ts";
import { containerChoice } from "../shared-options.ts";
import { exitWhenClosed } from "../write-fully.ts";

export const exec = defineCommand({
  name: "exec",
  summary: "Run a command in a container; its exit code is passed on",
  usage: "(POD | TYPE/NAME) [-c CONTAINER] -- COMMAND [ARGS...]",
  args: { min: 1, max: 1000 },
  completes: "pods",
  options: {
    container: containerChoice,
    stdin: { type: "boolean", short: "i", summary: "Pass standard input to the command" },
    tty: { type: "boolean", short: "t", summary: "Give the command a terminal" },
    quiet: { type: "boolean", short: "q", summary: "Print only what the command prints" },
  },
  examples: [
    { text: "A shell in the container", command: "peapod exec -it web -c nginx -- sh" },
    { text: "One command", command: "peapod exec web -- ls -l /tmp" },
    { text: "In a pod of a Deployment", command: "peapod exec deploy/web -- hostname" },
    { text: "Copy a file into the container", command: "peapod exec -i web -- sh -c 'cat > /tmp/x' < x" },
  ],
  async run({ options, args, rest, session }) {
    const { client, scope, terminal } = session;
    const [podArgument = "", ...words] = args;
    if (words.length > 0) {
      throw usageError("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead");
    }
    if (rest === undefined || rest.length === 0)
      throw usageError("you must specify at least one command for the container");
    const say = options.quiet ? { err: () => {} } : terminal;
    const pod = await openPod(podArgument, "exec into", session, say);
    const { namespace, name } = pod.metadata;
    const container = chooseContainer(pod, options.container, say);

    const interactive = hasTerminal(options, session);
    exitWhenClosed(process.stdout);
    using owned = interactive ? takeTerminal() : undefined;
    // Ctrl-C is a byte for the command while the terminal is raw; without one it ends the session.
    const request = {
      container,
      command: rest,
      tty: interactive,
      stdin: options.stdin ? process.stdin : undefined,
      stdout: process.stdout,
      stderr: process.stderr,
      sizes: owned?.sizes,
    };
    const exitCode = await runInContainer(
      client.connect,
      execPath({ namespace, name }, request),
      request,
      scope,
    );
    if (exitCode !== 0 && !options.quiet) terminal.err(`command terminated with exit code ${exitCode}\n`);
    return exitCode;
  },
});
