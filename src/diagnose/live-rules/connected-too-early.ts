import { addressText, answers, listenerEvidence, listenersOn } from "../live/addresses.ts";
import { errorLines, errorPatterns, logEvidence } from "../live/log-errors.ts";
import type { LiveRule } from "../live/view.ts";
import { lastEnd } from "../live/view.ts";

export const connectedTooEarly: LiveRule = {
  id: "connected-too-early",
  severity: "warning",
  title: "A container connected before the server listened",
  reality:
    "The containers of `containers` are started one right after the other, and nobody waits until a server listens: a first " +
    "connection may be refused. A sidecar in `initContainers` (`restartPolicy: Always`) with a `startupProbe` is " +
    "waited for.",
  fix: "Try again in the client; or make the server a sidecar in `initContainers` with a `startupProbe`.",
  scope:
    "A container's last instance ended with an exit code other than 0 and wrote that a connection was refused; the " +
    "counters saw unanswered attempts of it to connect to an address of the pod on which another container listens now.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/",
  check(view) {
    return view.view.running.flatMap(({ name }) => {
      const end = lastEnd(view, name);
      if (end === undefined || end.exitCode === 0) return [];
      const lines = view.log.filter(
        (line) => line.container === name && errorPatterns.ECONNREFUSED.test(line.text),
      );
      const line = lines.at(-1) ?? errorLines(view, name, errorPatterns.ECONNREFUSED)[0];
      if (line === undefined) return [];
      return (view.evidence?.attempts ?? []).flatMap((each) => {
        if (each.container !== name || each.attempts <= each.answered) return [];
        const server = listenersOn(view, each.port).find(
          (listener) => listener.container !== name && answers(listener, each.address),
        );
        if (server === undefined) return [];
        return [
          {
            containers: [name, server.container],
            message: `container "${name}" was refused by ${addressText(each)} and ended with exit code ${end.exitCode}; container "${server.container}" listens there now`,
            evidence: [
              {
                source: "BPF counters of the control group",
                detail: `${name}: ${each.attempts} attempts to connect to ${addressText(each)}, ${each.answered} answered`,
              },
              logEvidence(line),
              listenerEvidence(server),
            ],
          },
        ];
      });
    });
  },
};
