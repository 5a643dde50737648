import { declaredPorts, portText } from "../declared-ports.ts";
import { pairs } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";

export const duplicatePort: ManifestRule = {
  id: "duplicate-port",
  severity: "warning",
  title: "A port or a port name is declared twice",
  reality:
    "Kubernetes accepts the same port twice in one container (it warns at most), but server-side apply merges the " +
    "list by `containerPort` and `protocol`, so one entry may swallow the other. The same port *name* in two " +
    "containers is accepted too: a Service or a probe that uses the name gets one of the two ports, that of the " +
    "container that comes first.",
  fix: "Remove the second entry, or give it a name of its own.",
  scope:
    "One container lists a port and protocol twice without different host ports or host addresses, or two containers that run at " +
    "the same time give the same name to different ports. The latter is information only: a metrics collector may well want both. Two equal ports are `same-port-twice`.",
  upstream: "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ports",
  check({ containers, running }) {
    const sameNumber = containers.flatMap((view) =>
      pairs(declaredPorts(view))
        .filter(([a, b]) => portText(a) === portText(b) && a.hostPort === b.hostPort && a.hostIP === b.hostIP)
        .map(([first, second]) => ({
          field: second.path,
          message: `container "${view.name}" declares port ${portText(second)} twice`,
          related: [first.path],
        })),
    );
    const sameName = pairs(running.flatMap(declaredPorts))
      .filter(
        ([a, b]) =>
          a.view !== b.view && a.name !== undefined && a.name === b.name && portText(a) !== portText(b),
      )
      .map(([first, second]) => ({
        field: `${second.path}.name`,
        severity: "info" as const,
        message:
          `"${second.name}" names port ${portText(first)} of container "${first.view.name}" and port ` +
          `${portText(second)} of container "${second.view.name}"`,
        related: [`${first.path}.name`],
      }));
    return [...sameNumber, ...sameName];
  },
};
