import { attachPath } from "../../client/attach.ts";
import { exec as joinStreams } from "../../client/exec.ts";
import { initAndAppContainers } from "../../kube/pod-containers.ts";
import { chooseContainer } from "../choose-container.ts";
import { defineCommand } from "../command.ts";
import { hasTerminal, openPod } from "../open-pod.ts";
import { takeTerminal } from "../raw-terminal.ts";
import { containerChoice } from "../shared-options.ts";
import { exitWhenClosed } from "../write-fully.ts";

export const attach = defineCommand({
  name: "attach",
  summary: "See what a running container prints, and type into it",
  description:
    "Begins with what the container prints from now on; its log has what came before. Ends when the container ends. Ctrl-C only detaches, unless the terminal is passed on (-it): then it goes to the container.",
  usage: "(POD | TYPE/NAME) [-c CONTAINER]",
  args: { min: 1, max: 1 },
  completes: "pods",
  options: {
    container: containerChoice,
    stdin: { type: "boolean", short: "i", summary: "Pass standard input to the container" },
    tty: { type: "boolean", short: "t", summary: "Standard input is a terminal, and so is the container's" },
    quiet: { type: "boolean", short: "q", summary: "Print only what the container prints" },
  },
  examples: [
    { text: "Watch what it prints", command: "peapod attach web" },
    { text: "The container's own shell", command: "peapod attach -it tools" },
  ],
  async run({ options, args, session }) {
    const { client, scope, terminal } = session;
    const say = options.quiet ? { err: () => {} } : terminal;
    const pod = await openPod(args[0] ?? "", "attach", session, say);
    const { namespace, name } = pod.metadata;
    const containerName = chooseContainer(pod, options.container, say);
    const container = initAndAppContainers(pod.spec).find((each) => each.name === containerName);
    if (options.stdin && container?.stdin !== true) {
      terminal.err(`Container ${containerName} has no standard input (stdin: true in its manifest)\n`);
    }
    const isTerminal = hasTerminal(options, session);
    if (isTerminal && container?.tty !== true) {
      terminal.err(`Unable to use a TTY - container ${containerName} did not allocate one\n`);
    }
    const tty = isTerminal && container?.tty === true;
    if (options.stdin) say.err("If you don't see a command prompt, try pressing enter.\n");
    exitWhenClosed(process.stdout);
    using owned = tty ? takeTerminal() : undefined;
    const request = {
      container: containerName,
      command: [],
      tty,
      stdin: options.stdin ? process.stdin : undefined,
      stdout: process.stdout,
      stderr: process.stderr,
      sizes: owned?.sizes,
    };
    return joinStreams(client.connect, attachPath({ namespace, name }, request), request, scope);
  },
});
