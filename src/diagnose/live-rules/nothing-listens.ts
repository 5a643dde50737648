import { addressText, listenersOn, noListenerEvidence } from "../live/addresses.ts";
import { refusedAttempts } from "../live/refused.ts";
import type { LiveRule } from "../live/view.ts";

export const nothingListens: LiveRule = {
  id: "nothing-listens",
  severity: "error",
  title: "A container connects to a port on which nobody listens",
  reality:
    "A connection to a port without a listener is refused at once (ECONNREFUSED). A `containerPort` opens no port and moves " +
    "no server: only a program that calls listen(2) does. The containers of a pod share one port space, so it can be " +
    "any of them.",
  fix: "Have the server listen on that port, or the client use the server's.",
  scope:
    "The container's counters saw it try to connect to an address of the pod in the last " +
    "minute, and no socket of the pod listens on that port at any address.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking",
  check(view) {
    return refusedAttempts(view)
      .filter(({ protocol, port }) => protocol === "TCP" && listenersOn(view, port).length === 0)
      .map(({ container, address, port, channel }) => {
        const others = (view.evidence?.listeners ?? []).filter(
          (each) => each.protocol === "TCP" && each.container !== container,
        );
        const [only, ...more] = others;
        return {
          containers: [container],
          message: `container "${container}" connects to ${addressText({ address, port })}, but nothing in the pod listens on port ${port}`,
          evidence: [...channel.status.evidence, noListenerEvidence(view, port)],
          ...(only !== undefined && more.length === 0
            ? {
                fix: `Let container "${container}" connect to port ${only.port}, on which container "${only.container}" listens, or have the server listen on ${port}.`,
              }
            : {}),
        };
      });
  },
};
