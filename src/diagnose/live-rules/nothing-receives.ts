import { addressText, listenersOn, noListenerEvidence } from "../live/addresses.ts";
import { refusedAttempts } from "../live/refused.ts";
import type { LiveRule } from "../live/view.ts";

export const nothingReceives: LiveRule = {
  id: "nothing-receives",
  severity: "warning",
  title: "A container sends datagrams to a port on which nobody receives",
  reality:
    "UDP has no connection that could be refused: a datagram to a port to which no socket is bound is thrown away. The kernel " +
    "says so (ECONNREFUSED) only to a socket that was connected, at its next call; who sends with sendto(2), as many " +
    "clients of StatsD, syslog and tracing agents do, is never told.",
  fix: "Have the server bind that port, or the client send to the server's.",
  scope:
    "The container's counters saw it send datagrams without connect(2) to an address of the pod in the last minute, or it " +
    "has a socket that is connected there, and no UDP socket of the pod has that port. Not for ports from which " +
    "clients ask (those that the kernel hands out). That the pod's own iptables lead the port elsewhere is not seen.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking",
  check(view) {
    return refusedAttempts(view)
      .filter(({ protocol, port }) => protocol === "UDP" && listenersOn(view, port, "UDP").length === 0)
      .map(({ container, address, port, channel }) => ({
        containers: [container],
        message: `container "${container}" sends datagrams to ${addressText({ address, port })}, but nothing in the pod receives on UDP port ${port}`,
        evidence: [...channel.status.evidence, noListenerEvidence(view, port, "UDP")],
      }));
  },
};
