import type { LiveObservation, LiveRule } from "../live/view.ts";
import { isRunning } from "../live/view.ts";

export const probeFails: LiveRule = {
  id: "probe-fails",
  severity: "error",
  title: "A probe fails, and no rule knows why",
  reality:
    "A container whose `readinessProbe` fails gets no traffic; one whose `startupProbe` or `livenessProbe` fails too often is killed and restarted.",
  fix: "Ask what the probe asks, from inside (`peapod exec`), and compare.",
  scope:
    "A container runs and is not ready or not started, its newest Unhealthy event is younger than a minute, and no other rule says an error about it.",
  upstream:
    "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
  lastResort: true,
  check(view) {
    return view.view.running.flatMap(({ name }): LiveObservation[] => {
      const status = view.status(name);
      if (!isRunning(view, name) || (status?.ready === true && status.started === true)) return [];
      const warning = view.warnings.findLast(
        (each) =>
          each.reason === "Unhealthy" &&
          view.now - each.at < 60_000 &&
          (each.container === undefined || each.container === name),
      );
      if (warning === undefined) return [];
      return [
        {
          containers: [name],
          message: `container "${name}" is not ready: ${warning.message}`,
          evidence: [{ source: "events of the pod", detail: `Unhealthy: ${warning.message}` }],
        },
      ];
    });
  },
};
