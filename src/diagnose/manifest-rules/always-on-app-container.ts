import { pathIn } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";

export const alwaysOnAppContainer: ManifestRule = {
  id: "always-on-app-container",
  severity: "warning",
  title: "restartPolicy: Always on an app container makes no sidecar",
  reality:
    "A sidecar is an entry of **initContainers** with `restartPolicy: Always`: it starts before the app, stops after " +
    "it, and doesn't keep a Job from completing. On an entry of `containers` the field only says when that container " +
    "is restarted (Kubernetes 1.34 and newer; older ones drop the field or refuse it): it starts with the others and the pod never completes " +
    "while it runs.",
  fix: "Move the container to `initContainers`, or remove its `restartPolicy`.",
  scope: "An entry of `containers` has `restartPolicy: Always` and no `restartPolicyRules`.",
  upstream: "https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/",
  check({ running }) {
    return running
      .filter(
        ({ role, container }) =>
          role === "app" &&
          container.restartPolicy === "Always" &&
          (container.restartPolicyRules ?? []).length === 0,
      )
      .map((view) => ({
        field: pathIn(view, "restartPolicy"),
        message: `container "${view.name}" is an app container that restarts always, not a sidecar`,
      }));
  },
};
