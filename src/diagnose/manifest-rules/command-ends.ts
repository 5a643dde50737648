import { type ContainerView, type PodView, pathIn } from "../pod-view.ts";
import type { ManifestRule, Observation } from "../rule.ts";
import { commandLine, commandsOf, shellScript, type Words } from "../shell.ts";
import { isBaseImage } from "../user.ts";

export const commandEnds: ManifestRule = {
  id: "command-ends",
  severity: "error",
  title: "A container that ends at once is restarted for ever",
  reality:
    "A container lives as long as its first process. The command of the images busybox, alpine, debian and the like is a shell, which " +
    "finds no input and ends at once, successfully. With `restartPolicy: Always` (the default, and the only one in a Deployment, " +
    "StatefulSet, DaemonSet and ReplicaSet) the container is then started again, with ever longer pauses: CrashLoopBackOff.",
  fix:
    "Give the container the command that it is for. One that shall only be there to look around in: `command: " +
    "[sleep, infinity]`. Work that ends belongs into a Job, or a pod with `restartPolicy: OnFailure` or `Never`.",
  scope:
    "The pod restarts always, and an app container or sidecar runs the bare image of a distribution without command, " +
    "arguments and `stdin`; or its whole command is one `echo`, `true`, `date`, `env`, `printenv`, `hostname` or `uname` (a warning).",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy",
  check(pod) {
    return pod.running.filter((view) => restartsAlways(view, pod)).flatMap(observe);
  },
};

const brief = new Set(["echo", "true", "date", "env", "printenv", "hostname", "uname"]);

function observe(view: ContainerView): Observation[] {
  const { image, stdin } = view.container;
  const words = commandLine(view.container);
  if (words.length === 0) {
    if (!isBaseImage(view) || stdin === true) return [];
    return [
      {
        field: pathIn(view, "image"),
        message: `container "${view.name}" runs ${image} without a command: its shell ends at once and is restarted for ever`,
      },
    ];
  }
  if ((view.container.command ?? []).length === 0 && !isBaseImage(view)) return [];
  const commands = commandsOf(view.container);
  if (commands.length === 0 || !commands.every((command) => endsAtOnce(command, words))) return [];
  return [
    {
      field: pathIn(view, (view.container.command ?? []).length > 0 ? "command" : "args"),
      severity: "warning",
      message: `container "${view.name}" runs \`${commands.map((command) => command.join(" ")).join("; ")}\`, which ends at once, and is restarted for ever`,
    },
  ];
}

/** `env PROGRAM` is no `env`; and in a script a loop or redirection may hide behind a word. */
function endsAtOnce(command: Words, line: Words): boolean {
  const [program = "", ...rest] = command;
  if (!brief.has(program) || (program === "env" && rest.length > 0)) return false;
  const script = shellScript(line);
  return script === undefined || !/\b(?:while|until|for)\b|[<>]/.test(script);
}

function restartsAlways({ role, container }: ContainerView, { spec }: PodView): boolean {
  return role === "sidecar" || (container.restartPolicy ?? spec.restartPolicy) === "Always";
}
