import type { LiveRule } from "../live/view.ts";

export const badCommand: LiveRule = {
  id: "bad-command",
  severity: "error",
  title: "The container's command cannot be started",
  reality:
    "`command` and `args` are not a shell's line: their first word must be a program in the container's own file system, by its path or by the " +
    "`PATH` of the image, and be executable.",
  fix: 'Name a program that the image has; for shell syntax write `command: ["sh", "-c", "…"]`.',
  scope:
    "The runtime could not create or start a container, and its message says that the executable or the working folder is missing " +
    "or may not be executed.",
  upstream: "https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/",
  check(view) {
    return view.view.containers.flatMap(({ name, container }) => {
      const status = view.status(name);
      const states = [status?.state?.waiting, status?.state?.terminated, status?.lastState?.terminated];
      const failed = states.find(
        (each) =>
          /^(?:CreateContainerError|RunContainerError|StartError|ContainerCannotRun|CrashLoopBackOff)$/.test(
            each?.reason ?? "",
          ) &&
          /executable file|no such file or directory|permission denied|not found|exec format/i.test(
            each?.message ?? "",
          ),
      );
      if (failed === undefined) return [];
      const word = (container.command ?? container.args ?? [])[0];
      return [
        {
          containers: [name],
          message: `container "${name}" cannot start ${word === undefined ? "the image's command" : JSON.stringify(word)}`,
          evidence: [
            { source: `status of container ${name}`, detail: `${failed.reason}: ${failed.message}` },
          ],
        },
      ];
    });
  },
};
