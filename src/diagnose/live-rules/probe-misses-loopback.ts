import { addressText, isLoopback, listenerEvidence, listenersOn } from "../live/addresses.ts";
import { portProbes } from "../live/port-probes.ts";
import type { LiveObservation, LiveRule } from "../live/view.ts";

export const probeOnLoopback: LiveRule = {
  id: "probe-misses-loopback",
  severity: "error",
  title: "A probe goes to the pod's IP address, but the server listens on loopback",
  reality:
    "`httpGet`, `tcpSocket` and `grpc` probes come from the node to the pod's IP address. A server that is bound to 127.0.0.1 " +
    "accepts connections from inside the pod only, so the probe is refused every time. `host: 127.0.0.1` in the probe means the " +
    "node's own loopback.",
  fix: "Bind the server to 0.0.0.0, or use an `exec` probe, which runs inside the container.",
  scope:
    "A probe of a running container goes to a port of the pod's IP address, and all sockets of the pod that listen " +
    "on the port are bound to loopback addresses.",
  upstream:
    "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
  check(view) {
    return portProbes(view).flatMap(({ container, name, port }): LiveObservation[] => {
      const there = listenersOn(view, port);
      const [first] = there;
      if (first === undefined || !there.every(({ address }) => isLoopback(address))) return [];
      const address = view.evidence?.ips[0] ?? "";
      return [
        {
          containers: [container],
          message: `the ${name} of container "${container}" goes to ${addressText({ address, port })}, but the server listens on ${addressText(first)} only`,
          evidence: there.map(listenerEvidence),
        },
      ];
    });
  },
};
