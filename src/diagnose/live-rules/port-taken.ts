import { declaredPorts } from "../declared-ports.ts";
import { listenerEvidence, listenersOn } from "../live/addresses.ts";
import { errorLines, errorPatterns, logEvidence, portsIn } from "../live/log-errors.ts";
import type { LiveRule } from "../live/view.ts";
import type { ContainerView } from "../pod-view.ts";

export const portTaken: LiveRule = {
  id: "port-taken",
  severity: "error",
  title: "The neighbour has the port already",
  reality:
    "The containers of a pod have one IP address and one port space between them. The second one that binds a port " +
    "gets EADDRINUSE, whatever the `containerPort`s say.",
  fix: "Give one of the two another port, by its own flag, variable or configuration.",
  scope:
    "A container wrote that an address is in use, and another container of the pod listens on the port that the " +
    "message names; or, where it names none, on a port that the container declares itself or has as a word of its command.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking",
  check(view) {
    return view.view.containers.flatMap((container) => {
      for (const line of errorLines(view, container.name, errorPatterns.EADDRINUSE)) {
        const named = portsIn(line.text);
        const candidates = named.length > 0 ? named : ownPorts(container);
        for (const port of candidates) {
          const owner = listenersOn(view, port).find((each) => each.container !== container.name);
          if (owner === undefined) continue;
          return [
            {
              containers: [container.name, owner.container],
              message: `container "${container.name}" wants port ${port}, which container "${owner.container}" has`,
              evidence: [logEvidence(line), listenerEvidence(owner)],
            },
          ];
        }
      }
      return [];
    });
  },
};

/** Ports that the container names itself: declared ones, and numbers that are whole words of its command line. */
function ownPorts(view: ContainerView): number[] {
  const { command = [], args = [] } = view.container;
  const words = [...command, ...args].filter((word) => /^\d{2,5}$/.test(word)).map(Number);
  return [...declaredPorts(view).map(({ number }) => number), ...words];
}
