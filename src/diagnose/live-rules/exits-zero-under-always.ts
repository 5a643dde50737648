import type { LiveRule } from "../live/view.ts";
import { lastEnd } from "../live/view.ts";

export const exitsZeroUnderAlways: LiveRule = {
  id: "exits-zero-under-always",
  severity: "error",
  title: "A container ends well and is restarted for ever",
  reality:
    "`restartPolicy: Always` restarts a container whatever its exit code, with longer and longer pauses: CrashLoopBackOff says that it ended too " +
    "often, not that it failed.",
  fix: "Use `restartPolicy: OnFailure` or `Never` for a program that has an end, or give the container a command that goes on.",
  scope:
    "The last instance of an app container ended with exit code 0, it was restarted at least once or waits for it, and its restart policy is Always.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy",
  check(view) {
    if ((view.pod.spec.restartPolicy ?? "Always") !== "Always") return [];
    return view.view.running.flatMap(({ name, container }) => {
      const status = view.status(name);
      const end = lastEnd(view, name);
      const isHeld = status?.state?.waiting?.reason === "CrashLoopBackOff";
      if (end?.exitCode !== 0 || (!isHeld && (status?.restartCount ?? 0) === 0)) return [];
      const command = [...(container.command ?? []), ...(container.args ?? [])];
      return [
        {
          containers: [name],
          message: `container "${name}" ended with exit code 0 and is restarted (${status?.restartCount ?? 0} times so far)`,
          evidence: [
            {
              source: `status of container ${name}`,
              detail: `exit code 0 (${end.reason ?? ""}), ran from ${end.startedAt} to ${end.finishedAt}; restartPolicy Always`,
            },
            ...(command.length === 0
              ? [{ source: "manifest", detail: "the container has no command: the image's own runs" }]
              : []),
          ],
        },
      ];
    });
  },
};
