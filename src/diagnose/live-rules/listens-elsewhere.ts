import { addressText, answers, isLoopback, listenerEvidence, listenersOn } from "../live/addresses.ts";
import { refusedAttempts } from "../live/refused.ts";
import type { LiveRule } from "../live/view.ts";

export const listensElsewhere: LiveRule = {
  id: "listens-elsewhere",
  severity: "error",
  title: "The server listens on another address than the one that is asked",
  reality:
    "A socket that is bound to one address answers on that address only: on 127.0.0.1 not on the pod's IP address, on the pod's IP address not on " +
    "localhost, on an IPv4 address not on `::1`. The name `localhost` stands for `127.0.0.1` and `::1`, and some programs try " +
    "only the second.",
  fix: "Bind the server to all addresses (`0.0.0.0`, or `::` for both families), or let the client use the address that it has.",
  scope:
    "As nothing-listens and nothing-receives, but sockets of the pod listen on that port at other addresses, of which none is a wildcard " +
    "that covers the one asked for.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking",
  check(view) {
    return refusedAttempts(view).flatMap(({ protocol, container, address, port, channel }) => {
      const there = listenersOn(view, port, protocol);
      const [first] = there;
      if (first === undefined || there.some((each) => answers(each, address))) return [];
      const verb = protocol === "TCP" ? "connect" : "send";
      const wrongFamily = address.includes(":") && there.every((each) => !each.address.includes(":"));
      const why = wrongFamily
        ? `container "${first.container}" listens on IPv4 only (${addressText(first)})`
        : isLoopback(first.address)
          ? `container "${first.container}" listens on loopback only (${addressText(first)})`
          : `container "${first.container}" listens on ${addressText(first)} only`;
      const fix = wrongFamily
        ? `Let container "${container}" ${verb} to 127.0.0.1:${port} instead of ${address === "::1" ? "localhost or " : ""}${addressText({ address, port })}, or bind the server to \`::\`.`
        : `Bind the server in container "${first.container}" to 0.0.0.0:${port}, or let container "${container}" ${verb} to ${addressText({ address: first.address === "0.0.0.0" ? "127.0.0.1" : first.address, port })}.`;
      return [
        {
          containers: [container, first.container],
          message: `container "${container}" ${verb}s to ${addressText({ address, port })}, but ${why}`,
          evidence: [...channel.status.evidence, ...there.map(listenerEvidence)],
          fix,
        },
      ];
    });
  },
};
