import { declaredPorts } from "../declared-ports.ts";
import { defaultPorts } from "../image.ts";
import type { ContainerView, PodView } from "../pod-view.ts";
import type { ManifestRule, Observation } from "../rule.ts";
import { type ContainerText, textsOf } from "../texts.ts";

export const neighbourByName: ManifestRule = {
  id: "neighbour-by-name",
  severity: "warning",
  title: "A container of the same pod is addressed by its name",
  reality:
    "Container names are no DNS names: nothing resolves them, unlike in Docker Compose. The containers of a pod " +
    "share one network namespace and find each other on `localhost`.",
  fix: "Write `localhost` (or `127.0.0.1`) in the place of the container's name.",
  scope:
    "The host of a URL, of a `name:port` with a port that the neighbour has, or the whole value of a variable " +
    "called `…HOST`, `…HOSTNAME`, `…ADDR` or `…ADDRESS` is the name of another container of the same pod that runs at the same time. Quiet when the " +
    "name is that of a Service in the checked files, of one of the pod's `hostAliases`, or of the pod itself.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking",
  check(pod) {
    return pod.running.flatMap((neighbour) => {
      if (!/^[a-z0-9-]+$/.test(neighbour.name) || resolves(neighbour.name, pod)) return [];
      return pod.containers
        .filter((view) => view !== neighbour)
        .flatMap((view) =>
          textsOf(view)
            .filter((text) => addresses(text, neighbour))
            .map((text) => observe(view, neighbour, text)),
        );
    });
  },
};

function observe(
  view: ContainerView,
  neighbour: ContainerView,
  { field, variable }: ContainerText,
): Observation {
  const where = variable === undefined ? "on its command line" : `in ${variable}`;
  return {
    field,
    message: `container "${view.name}" addresses its neighbour "${neighbour.name}" by name ${where}; no such name exists unless a Service has it`,
    related: [neighbour.path],
  };
}

function resolves(name: string, { spec, hostName, serviceNames }: PodView): boolean {
  return (
    name === "localhost" ||
    name === hostName ||
    serviceNames.has(name) ||
    (spec.hostAliases ?? []).some(({ hostnames }) => (hostnames ?? []).includes(name))
  );
}

const hostVariable = /(?:^|_)(?:HOST|HOSTNAME|ADDR|ADDRESS)$/i;

function addresses({ text, variable }: ContainerText, neighbour: ContainerView): boolean {
  const { name } = neighbour;
  if (variable !== undefined && hostVariable.test(variable) && text === name) return true;
  if (
    new RegExp(String.raw`\b[a-z][a-z0-9+.-]*://(?:[^\s/@"']*@)?${name}(?::\d+)?(?=[/?#\s"']|$)`, "i").test(
      text,
    )
  )
    return true;
  const ports = [
    ...declaredPorts(neighbour).map(({ number }) => number),
    ...(defaultPorts(neighbour.container) ?? []),
  ];
  return [...text.matchAll(new RegExp(String.raw`(?<![\w./@:-])${name}:(\d+)(?![\w.:-])`, "g"))].some(
    ([, port]) => ports.includes(Number(port)),
  );
}
