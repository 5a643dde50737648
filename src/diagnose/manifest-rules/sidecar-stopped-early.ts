import { isProxy } from "../long-running.ts";
import type { ManifestRule } from "../rule.ts";
import { findText } from "../texts.ts";

export const sidecarStoppedEarly: ManifestRule = {
  id: "sidecar-stopped-early",
  severity: "info",
  title: "A proxy in `containers` is stopped together with the app that needs it",
  reality:
    "When a pod ends, all its app containers get SIGTERM at the same moment. A proxy that ends at once cuts off the " +
    "app's connections while the app is still finishing its work. Native sidecars are stopped after the app " +
    "containers, in the reverse order of their start; they also start before them.",
  fix: "Move the proxy to `initContainers` with `restartPolicy: Always`, or give it a `preStop` hook that waits.",
  scope:
    "An app container without `preStop` hook runs a known proxy (Envoy, Istio, Cloud SQL proxy, PgBouncer, Dapr), " +
    "and another app container names `localhost` or `127.0.0.1`. Jobs have `sidecar-keeps-job-running`. Information only: many apps end as fast as their proxy.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#termination-with-sidecars",
  check({ running, ownerKind }) {
    if (ownerKind === "Job" || ownerKind === "CronJob") return [];
    const app = running.filter(({ role }) => role === "app");
    return app
      .filter((view) => isProxy(view) && view.container.lifecycle?.preStop === undefined)
      .flatMap((proxy) => {
        const clients = app.filter((view) => view !== proxy);
        const client = clients.find((view) => findText(view, /\blocalhost\b|\b127\.0\.0\.1\b/) !== undefined);
        if (client === undefined) return [];
        return [
          {
            field: proxy.path,
            message: `proxy "${proxy.name}" gets SIGTERM at the same moment as container "${client.name}", which talks through localhost`,
            related: [client.path],
          },
        ];
      });
  },
};
