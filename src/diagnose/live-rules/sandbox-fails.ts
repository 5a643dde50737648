import type { LiveRule } from "../live/view.ts";

export const sandboxFails: LiveRule = {
  id: "sandbox-fails",
  severity: "error",
  title: "The pod's network cannot be set up",
  reality:
    "Before its first container a pod gets its namespaces, its address and its host ports. Where that fails, nothing of it starts " +
    "and it is tried again. A host port is the node's: only one pod can have it.",
  fix: "Remove what the message names: of two pods with one `hostPort`, one needs another port, or a Service in its place.",
  scope: "No container has started, and the pod's last warning is FailedCreatePodSandBox.",
  upstream: "https://kubernetes.io/docs/concepts/configuration/overview/#services",
  check(view) {
    const last = view.warnings.at(-1);
    const hasStarted = view.view.containers.some(({ name }) => {
      const { state, restartCount } = view.status(name) ?? {};
      return state?.running !== undefined || (state?.terminated !== undefined && restartCount !== 0);
    });
    if (hasStarted || last?.reason !== "FailedCreatePodSandBox") return [];
    return [
      {
        containers: [],
        message: `the pod cannot be set up: ${last.message}`,
        evidence: [{ source: "events of the pod", detail: `${last.reason}: ${last.message}` }],
      },
    ];
  },
};
