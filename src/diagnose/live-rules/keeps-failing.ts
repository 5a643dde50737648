import { logEvidence } from "../live/log-errors.ts";
import type { LiveObservation, LiveRule } from "../live/view.ts";
import { isRunning, lastEnd } from "../live/view.ts";

export const keepsFailing: LiveRule = {
  id: "keeps-failing",
  severity: "error",
  title: "A container fails, and no rule knows why",
  reality:
    "An exit code of 126 means that the command may not be executed, 127 that it was not found, 128 and above that a signal ended it (128 + number: 137 is " +
    "SIGKILL, 139 SIGSEGV, 143 SIGTERM). Everything else is the program's own.",
  fix: "Read what the container wrote (`peapod logs POD -c CONTAINER`, `--previous` for the instance before).",
  scope:
    "A container's last instance ended with an exit code other than 0, and it does not run, or was restarted within the last minute; no other rule " +
    "says an error about it. Quiet about a sidecar that was stopped because the app containers had ended.",
  upstream: "https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/",
  lastResort: true,
  check(view) {
    const isOver = view.view.running.every(
      ({ name, role }) => role === "sidecar" || view.status(name)?.state?.terminated !== undefined,
    );
    return view.view.containers.flatMap(({ name, role }): LiveObservation[] => {
      if (role === "sidecar" && isOver) return [];
      const end = lastEnd(view, name);
      const isNews = !isRunning(view, name) || view.now - Date.parse(end?.finishedAt ?? "") < 60_000;
      if (end === undefined || end.exitCode === 0 || !isNews) return [];
      const line = view.log.findLast(
        (each) => each.container === name && each.previous === isRunning(view, name),
      );
      const signal = end.exitCode > 128 && end.exitCode < 160 ? `, signal ${end.exitCode - 128}` : "";
      return [
        {
          containers: [name],
          message: `container "${name}" ended with exit code ${end.exitCode}${signal}${end.message ? `: ${end.message.trim()}` : ""}`,
          evidence: [
            {
              source: `status of container ${name}`,
              detail: `${end.reason ?? "Error"}, exit code ${end.exitCode}, finished ${end.finishedAt}, restart count ${view.status(name)?.restartCount ?? 0}`,
            },
            ...(line === undefined ? [] : [logEvidence(line)]),
          ],
          fix: `Read what it wrote: \`peapod logs ${view.pod.metadata.name} -c ${name}${isRunning(view, name) ? " --previous" : ""}\`.`,
        },
      ];
    });
  },
};
