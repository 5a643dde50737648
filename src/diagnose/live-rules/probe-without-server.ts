import { answers, isLoopback, listenersOn, noListenerEvidence } from "../live/addresses.ts";
import { portProbes } from "../live/port-probes.ts";
import type { LiveObservation, LiveRule } from "../live/view.ts";

export const probeWithoutServer: LiveRule = {
  id: "probe-without-server",
  severity: "error",
  title: "A probe goes to a port on which nobody listens",
  reality:
    "A probe that is refused counts as failed: the container never becomes ready, or is killed and restarted. " +
    "`containerPort` opens no port; only the program does.",
  fix: "Give the probe the port on which the program listens, or the program the port of the probe.",
  scope:
    "A `readinessProbe` or `startupProbe` of a container that runs and has failed it so far, or a `livenessProbe` of a " +
    "container that it has restarted, goes to a port at which no socket of the pod answers on the pod's IP address; " +
    "the container has run for longer than the probe's `initialDelaySeconds`.",
  upstream:
    "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
  check(view) {
    return portProbes(view).flatMap(({ container, name, port, initialDelaySeconds }): LiveObservation[] => {
      const status = view.status(container);
      const failing =
        name === "readinessProbe"
          ? status?.ready === false
          : name === "startupProbe"
            ? status?.started === false
            : (status?.restartCount ?? 0) > 0;
      const address = view.evidence?.ips[0] ?? "";
      const there = listenersOn(view, port);
      const started = Date.parse(status?.state?.running?.startedAt ?? "");
      const isEarly = !(view.now - started > (initialDelaySeconds + 3) * 1_000);
      if (!failing || isEarly || view.evidence === undefined) return [];
      if (there.some((each) => answers(each, address)) || there.some((each) => isLoopback(each.address)))
        return [];
      const own = view.evidence.listeners.filter(
        (each) => each.container === container && each.protocol === "TCP",
      );
      return [
        {
          containers: [container],
          message: `the ${name} of container "${container}" goes to port ${port}, on which nothing listens`,
          evidence: [noListenerEvidence(view, port)],
          ...(own.length === 1
            ? { fix: `Give the ${name} port ${own[0]?.port}, on which the container listens.` }
            : {}),
        },
      ];
    });
  },
};
