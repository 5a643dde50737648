import { neverEnds } from "../long-running.ts";
import type { ManifestRule } from "../rule.ts";
import { findText } from "../texts.ts";

export const sidecarKeepsJobRunning: ManifestRule = {
  id: "sidecar-keeps-job-running",
  severity: "warning",
  title: "A plain sidecar keeps a Job from completing",
  reality:
    "A pod has completed when all its app containers have ended. A helper in `containers` that never ends keeps the " +
    "pod Running and the Job active for ever, although the work is done. A native sidecar is stopped by Kubernetes once the app " +
    "containers have ended.",
  fix: "Move the helper to `initContainers` with `restartPolicy: Always`.",
  scope:
    "A Job's or CronJob's pod has two or more app containers, one of which never ends by what its manifest says " +
    "(a known proxy, log shipper or server, `tail -f`, `sleep infinity`, `while true` without a way out) while " +
    "another may. Quiet when the containers share processes and one of them mentions `kill`, or one calls a way to " +
    "quit (`quitquitquit`, `/quit`).",
  upstream:
    "https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#jobs-with-sidecar-containers",
  check({ spec, ownerKind, running }) {
    if (ownerKind !== "Job" && ownerKind !== "CronJob") return [];
    const app = running.filter(({ role }) => role === "app");
    const endless = app.flatMap((view) => {
      const reason = neverEnds(view);
      return reason === undefined ? [] : [{ view, reason }];
    });
    if (endless.length === app.length) return [];
    const quits = spec.shareProcessNamespace === true ? /\bp?kill(?:all)?\b|quit/ : /quit/;
    if (app.some((view) => findText(view, quits) !== undefined)) return [];
    return endless.map(({ view, reason }) => ({
      field: view.path,
      message: `container "${view.name}" keeps the ${ownerKind} running after the other containers have ended: ${reason}`,
    }));
  },
};
