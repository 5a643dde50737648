import { errorLines, errorPatterns, logEvidence } from "../live/log-errors.ts";
import type { LiveRule } from "../live/view.ts";

export const neighbourNameUnresolved: LiveRule = {
  id: "neighbour-name-unresolved",
  severity: "error",
  title: "The name of a neighbour container does not resolve",
  reality:
    "Container names are no DNS names, unlike in Docker Compose. The containers of a pod share one network namespace and find " +
    "each other on `localhost`.",
  fix: "Write `localhost` (or `127.0.0.1`) in the place of the container's name.",
  scope:
    "A container wrote that a name could not be resolved, in a line that has the name of another container of the pod as a whole word.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking",
  check(view) {
    return view.view.containers.flatMap(({ name }) => {
      const lines = errorLines(view, name, errorPatterns.resolve);
      const seen = new Set<string>();
      return view.view.running.flatMap((neighbour) => {
        if (neighbour.name === name || neighbour.name === "" || seen.has(neighbour.name)) return [];
        const word = new RegExp(`(?<![\\w.-])${neighbour.name}(?![\\w-]|\\.\\w)`);
        const line = lines.find(({ text }) => word.test(text));
        if (line === undefined) return [];
        seen.add(neighbour.name);
        return [
          {
            containers: [name, neighbour.name],
            message: `container "${name}" asks for the host "${neighbour.name}", which is the name of its neighbour container and of no host`,
            evidence: [logEvidence(line)],
            fix: `Let container "${name}" use \`localhost\` instead of \`${neighbour.name}\`.`,
          },
        ];
      });
    });
  },
};
