import type { LiveRule } from "../live/view.ts";

export const outOfMemory: LiveRule = {
  id: "out-of-memory",
  severity: "error",
  title: "A container was killed for using more memory than its limit",
  reality:
    "The kernel kills a process of the container when its cgroup reaches `limits.memory`. What a container writes to a volume in memory, /dev/shm too, counts " +
    "against that limit.",
  fix: "Raise `resources.limits.memory`, or have the program use less.",
  scope: "The state of a container's current or last instance is OOMKilled.",
  upstream: "https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/",
  check(view) {
    return view.view.containers.flatMap(({ name, container }) => {
      const status = view.status(name);
      const end = [status?.state?.terminated, status?.lastState?.terminated].find(
        (each) => each?.reason === "OOMKilled",
      );
      if (end === undefined) return [];
      const limit = container.resources?.limits?.memory ?? view.pod.spec.resources?.limits?.memory;
      return [
        {
          containers: [name],
          message: `container "${name}" was killed at its memory limit${limit === undefined ? "" : ` of ${limit}`}`,
          evidence: [
            {
              source: `status of container ${name}`,
              detail: `reason OOMKilled, exit code ${end.exitCode}, finished ${end.finishedAt}, restart count ${status?.restartCount ?? 0}`,
            },
          ],
          ...(limit === undefined
            ? {}
            : {
                fix: `Raise \`resources.limits.memory\` of container "${name}" above ${limit}, or have the program use less.`,
              }),
        },
      ];
    });
  },
};
