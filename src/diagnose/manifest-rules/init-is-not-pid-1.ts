import { ownInit } from "../own-init.ts";
import { type ContainerView, pathIn } from "../pod-view.ts";
import type { ManifestRule, Observation } from "../rule.ts";
import { commandsOf, commandsOfWords, type Words, withoutRedirections } from "../shell.ts";

export const initIsNotPid1: ManifestRule = {
  id: "init-is-not-pid-1",
  severity: "error",
  title: "With shareProcessNamespace no container has PID 1",
  reality:
    "With `shareProcessNamespace` all containers see one list of processes, and PID 1 in it is the pod's own (`pause`). " +
    "An init system that insists on being PID 1 (s6-overlay, systemd) refuses to start, and `kill -HUP 1` goes to " +
    "`pause`, which ignores it, instead of the server.",
  fix:
    "Remove `shareProcessNamespace`, or use an image without an init system. To signal a server, find it by name " +
    "(`pkill -HUP nginx`) or by its pid file.",
  scope:
    "`shareProcessNamespace` is true, and a container starts `/sbin/init` or systemd, or runs an image that is " +
    "known for it (linuxserver.io and a few systemd images); or a command, probe or hook runs `kill … 1` (a warning).",
  upstream: "https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/",
  check({ spec, containers }) {
    if (spec.shareProcessNamespace !== true) return [];
    return containers.flatMap((view) => [...refusingInit(view), ...signalsToPause(view)]);
  },
};

function refusingInit(view: ContainerView): Observation[] {
  const init = ownInit(view);
  if (init === undefined) return [];
  return [
    {
      field: init.field,
      message: `container "${view.name}" starts ${init.what}, which must be PID 1, but with shareProcessNamespace PID 1 is the pod's`,
      related: ["spec.shareProcessNamespace"],
    },
  ];
}

function signalsToPause(view: ContainerView): Observation[] {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = view.container;
  const hooks = {
    "livenessProbe.exec": livenessProbe?.exec,
    "readinessProbe.exec": readinessProbe?.exec,
    "startupProbe.exec": startupProbe?.exec,
    "lifecycle.postStart.exec": lifecycle?.postStart?.exec,
    "lifecycle.preStop.exec": lifecycle?.preStop?.exec,
  };
  const places: [string, readonly Words[]][] = [
    [(view.container.command ?? []).length > 0 ? "command" : "args", commandsOf(view.container)],
    ...Object.entries(hooks).map(([field, exec]): [string, readonly Words[]] => [
      `${field}.command`,
      commandsOfWords(exec?.command ?? []),
    ]),
  ];
  return places.flatMap(([field, commands]) =>
    commands
      .map(withoutRedirections)
      .filter(killsFirst)
      .map((words) => ({
        field: pathIn(view, field),
        severity: "warning" as const,
        message: `container "${view.name}" runs \`${words.join(" ")}\`, which signals the pod's own PID 1 and not the container's program`,
        related: ["spec.shareProcessNamespace"],
      })),
  );
}

function killsFirst(words: Words): boolean {
  return /^(?:\/(?:usr\/)?bin\/)?kill$/.test(words[0] ?? "") && words.length > 1 && words.at(-1) === "1";
}
