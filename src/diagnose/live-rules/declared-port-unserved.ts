import { declaredPorts } from "../declared-ports.ts";
import { listenersOn, noListenerEvidence } from "../live/addresses.ts";
import type { LiveRule } from "../live/view.ts";
import { isRunning } from "../live/view.ts";

/** How long after its start a container may take before its port is missed. */
const patienceMilliseconds = 5_000;

export const declaredPortUnserved: LiveRule = {
  id: "declared-port-unserved",
  severity: "warning",
  title: "A declared port on which nobody listens",
  reality:
    "`containerPort` is documentation: it opens nothing and moves no server. A Service, a hostPort or a client that " +
    "goes by it is refused.",
  fix: "Declare the port on which the program listens, or tell the program (by flag, variable or configuration) to use this one.",
  scope:
    "A container has run for five seconds or more and has passed its `startupProbe` if it has one; no socket of the " +
    "pod has the declared port and protocol (TCP or UDP).",
  upstream: "https://kubernetes.io/docs/concepts/services-networking/connect-applications-service/",
  check(view) {
    return view.view.running.flatMap((container) => {
      const status = view.status(container.name);
      const started = Date.parse(status?.state?.running?.startedAt ?? "");
      const isUp =
        isRunning(view, container.name) &&
        status?.started !== false &&
        view.now - started > patienceMilliseconds;
      if (!isUp || view.evidence === undefined) return [];
      return declaredPorts(container).flatMap(({ number, protocol }) => {
        if (protocol !== "TCP" && protocol !== "UDP") return [];
        if (listenersOn(view, number, protocol).length > 0) return [];
        const own = (view.evidence?.listeners ?? []).filter(
          (each) => each.container === container.name && each.protocol === protocol,
        );
        const listens =
          own.length === 0
            ? ""
            : `; the container listens on ${[...new Set(own.map(({ port }) => port))].join(", ")}`;
        return [
          {
            containers: [container.name],
            message: `container "${container.name}" declares port ${number}/${protocol}, but nothing in the pod listens on it${listens}`,
            evidence: [noListenerEvidence(view, number, protocol)],
          },
        ];
      });
    });
  },
};
