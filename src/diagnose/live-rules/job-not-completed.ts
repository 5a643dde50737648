import type { LiveRule } from "../live/view.ts";
import { isRunning, lastEnd } from "../live/view.ts";
import { neverEnds } from "../long-running.ts";

/** A helper that notices the app's end by itself needs a moment. */
const patienceMilliseconds = 10_000;

export const jobNotCompleted: LiveRule = {
  id: "job-not-completed",
  severity: "warning",
  title: "A Job's work is done, and a helper that never ends keeps it running",
  reality:
    "A pod has completed when all its app containers have ended. A helper in `containers` goes on, so the pod stays Running and the Job " +
    "active, although the work is done. A native sidecar is stopped by Kubernetes once the app containers have ended.",
  fix: "Move the helper to `initContainers` with `restartPolicy: Always`.",
  scope:
    "A Job's pod: an app container ended with exit code 0 ten seconds ago or more, and each app container that still runs never ends by what " +
    "its manifest says.",
  upstream:
    "https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#jobs-with-sidecar-containers",
  check(view) {
    const job = view.pod.metadata.ownerReferences?.find(({ kind }) => kind === "Job");
    const app = view.view.running.filter(({ role }) => role === "app");
    const ended = app.filter(({ name }) => !isRunning(view, name));
    const latest = Math.max(...ended.map(({ name }) => Date.parse(lastEnd(view, name)?.finishedAt ?? "")));
    const isDone = ended.every(({ name }) => view.status(name)?.state?.terminated?.exitCode === 0);
    // Not a number when one of them has not even begun.
    const isOld = view.now - latest >= patienceMilliseconds;
    if (job === undefined || ended.length === 0 || !isDone || !isOld) return [];
    const left = app
      .filter((container) => !ended.includes(container))
      .map((container) => ({ name: container.name, reason: neverEnds(container) }));
    if (left.some(({ reason }) => reason === undefined)) return [];
    return left.map(({ name, reason }) => ({
      containers: [name],
      message: `container "${name}" keeps Job ${job.name} running: ${reason}, and the others have ended`,
      evidence: ended.map((container) => ({
        source: `status of container ${container.name}`,
        detail: `exit code 0, finished ${lastEnd(view, container.name)?.finishedAt}`,
      })),
    }));
  },
};
