import { type DeclaredPort, declaredPorts } from "../declared-ports.ts";
import { pairs } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";

export const duplicateHostPort: ManifestRule = {
  id: "duplicate-host-port",
  severity: "error",
  title: "Two containers ask for the same port of the host",
  reality:
    "A host port belongs to one pod and, in it, leads to one container port. The API server refuses two equal " +
    "`hostPort`s of app containers; where one names an address and the other none (all addresses), or one belongs to a sidecar, it accepts the " +
    "pod, and only one of the two rules on the node takes effect.",
  fix: "Give one of them another `hostPort`, or another `hostIP` each, or use a Service instead of host ports.",
  scope:
    "Two entries of `ports` with the same `hostPort` and protocol, whose `hostIP`s are equal or one of which means " +
    "all addresses. Pods with `hostNetwork` are left out: there, ports are the host's anyway.",
  upstream: "https://kubernetes.io/docs/concepts/configuration/overview/",
  check({ spec, running }) {
    if (spec.hostNetwork === true) return [];
    const ports = running.flatMap(declaredPorts).filter(({ hostPort }) => hostPort !== undefined);
    return pairs(ports)
      .filter(([a, b]) => a.hostPort === b.hostPort && a.protocol === b.protocol && overlap(a, b))
      .map(([first, second]) => ({
        field: `${second.path}.hostPort`,
        message:
          `port ${second.hostPort}/${second.protocol} of the host is asked for by container "${first.view.name}"` +
          `${addressText(first)} and by container "${second.view.name}"${addressText(second)}`,
        related: [`${first.path}.hostPort`],
      }));
  },
};

const everyAddress = new Set(["", "0.0.0.0", "::"]);

function overlap(a: DeclaredPort, b: DeclaredPort): boolean {
  if (a.hostIP === b.hostIP) return true;
  const [wide, narrow] = everyAddress.has(a.hostIP) ? [a.hostIP, b.hostIP] : [b.hostIP, a.hostIP];
  if (!everyAddress.has(wide)) return false;
  if (wide === "" || everyAddress.has(narrow)) return wide === "" || narrow === "";
  return wide.includes(":") === narrow.includes(":");
}

function addressText({ hostIP }: DeclaredPort): string {
  return hostIP === "" ? " (on all addresses)" : ` (on ${hostIP})`;
}
