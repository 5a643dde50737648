import { childPath } from "../../kube/field-path.ts";
import { declaredPorts } from "../declared-ports.ts";
import { listenFlags } from "../listen-flags.ts";
import { type ContainerView, pathIn } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";

export const probeLoopbackListener: ManifestRule = {
  id: "probe-loopback-listener",
  severity: "error",
  title: "A probe goes to the pod's IP address, but the server is told to listen on loopback",
  reality:
    "The kubelet sends `httpGet`, `tcpSocket` and `grpc` probes from the node to the pod's IP address. A server " +
    "that is bound to 127.0.0.1 accepts connections from its own pod only: the probe is refused, and the container never " +
    "becomes ready or is killed again and again.",
  fix: "Bind the server to 0.0.0.0 (or `:PORT`), or use an `exec` probe, which runs inside the container.",
  scope:
    "A flag of the container whose name ends in `listen`, `bind`, `listen-address`, `bind-address` or the like has a " +
    "loopback address with a port, no other such flag has that port on another address, and a probe of the same " +
    "container goes to the port. Quiet with `hostNetwork`.",
  upstream:
    "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
  check({ spec, containers }) {
    if (spec.hostNetwork === true) return [];
    return containers.flatMap((view) => {
      const { loopback, elsewhere } = listenFlags(view);
      return (["livenessProbe", "readinessProbe", "startupProbe"] as const).flatMap((name) => {
        const probe = view.container[name];
        const action = (["httpGet", "tcpSocket", "grpc"] as const).find(
          (kind) => probe?.[kind] !== undefined,
        );
        if (probe === undefined || action === undefined) return [];
        const port = portNumber(view, probe[action]?.port);
        const flag = port === undefined ? undefined : loopback.get(port);
        if (port === undefined || flag === undefined || elsewhere.has(port)) return [];
        return [
          {
            field: childPath(childPath(pathIn(view, name), action), "port"),
            message: `the ${name} of container "${view.name}" goes to port ${port} of the pod's IP address, but "${flag}" binds it to loopback`,
          },
        ];
      });
    });
  },
};

function portNumber(view: ContainerView, port: string | number | undefined): number | undefined {
  if (typeof port !== "string") return port;
  return declaredPorts(view).find(({ name }) => name === port)?.number;
}
