import { childPath } from "../../kube/field-path.ts";
import { pathIn } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";

export const probeHostLoopback: ManifestRule = {
  id: "probe-host-loopback",
  severity: "error",
  title: "A probe or hook is sent to the node's own loopback",
  reality:
    "`httpGet` and `tcpSocket` are carried out by the kubelet, from the node, not inside the container. `host` " +
    "defaults to the pod's IP address; `127.0.0.1` or `localhost` there means the node, so the request reaches nobody or some " +
    "program of the node.",
  fix:
    "Remove `host`. If the server listens on 127.0.0.1 only, make it listen on 0.0.0.0, or use an `exec` probe, " +
    "which does run inside the container.",
  scope:
    "`host` of an `httpGet` or `tcpSocket` in a probe or a lifecycle hook is a loopback address or `localhost`, and " +
    "the pod doesn't use `hostNetwork` (with it, the node's loopback is the pod's).",
  upstream:
    "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes",
  check({ spec, containers }) {
    if (spec.hostNetwork === true) return [];
    return containers.flatMap((view) => {
      const { livenessProbe, readinessProbe, startupProbe, lifecycle } = view.container;
      const handlers = {
        livenessProbe,
        readinessProbe,
        startupProbe,
        "lifecycle.postStart": lifecycle?.postStart,
        "lifecycle.preStop": lifecycle?.preStop,
      };
      return Object.entries(handlers).flatMap(([name, handler]) =>
        (["httpGet", "tcpSocket"] as const).flatMap((action) => {
          const host = handler?.[action]?.host;
          if (host === undefined || !isLoopback(host)) return [];
          return [
            {
              field: childPath(childPath(pathIn(view, name), action), "host"),
              message: `the ${name.replace(/^.*\./, "")} of container "${view.name}" goes to ${host} of the node, not of the pod`,
            },
          ];
        }),
      );
    });
  },
};

function isLoopback(host: string): boolean {
  return host === "localhost" || /^127(?:\.\d+){3}$/.test(host) || host === "::1" || host === "[::1]";
}
