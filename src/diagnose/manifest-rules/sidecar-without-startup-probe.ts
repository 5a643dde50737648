import { declaredPorts } from "../declared-ports.ts";
import type { ManifestRule } from "../rule.ts";
import { findText } from "../texts.ts";

export const sidecarWithoutStartupProbe: ManifestRule = {
  id: "sidecar-without-startup-probe",
  severity: "info",
  title: "A sidecar counts as started before it listens",
  reality:
    "A native sidecar (an init container with `restartPolicy: Always`) starts before the app, but Kubernetes goes on as soon as " +
    "its process runs. Only a `startupProbe` (or a `postStart` hook that waits) makes the next containers wait until it serves; a " +
    "readiness probe doesn't. Until then a connection to localhost is refused.",
  fix: "Give the sidecar a `startupProbe` on its port, or let the client try again.",
  scope:
    "A native sidecar declares a port, has neither `startupProbe` nor `postStart` hook, and a container that starts " +
    "after it names `localhost` or `127.0.0.1` with that port on its command line or in its environment. Information only: many clients try again.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/",
  check({ containers }) {
    return containers.flatMap((view, index) => {
      const { startupProbe, lifecycle } = view.container;
      if (view.role !== "sidecar" || startupProbe !== undefined || lifecycle?.postStart !== undefined)
        return [];
      for (const port of declaredPorts(view)) {
        const address = new RegExp(String.raw`(?:\blocalhost|\b127\.0\.0\.1|\[::1\]):${port.number}(?!\d)`);
        for (const client of containers.slice(index + 1)) {
          const text = findText(client, address);
          if (text === undefined) continue;
          return [
            {
              field: view.path,
              message: `container "${client.name}" uses ${text.match[0]}, but is not kept waiting until sidecar "${view.name}" listens there`,
              related: [port.path, text.field],
            },
          ];
        }
      }
      return [];
    });
  },
};
