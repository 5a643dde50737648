import type { LiveRule } from "../live/view.ts";

export const configurationMissing: LiveRule = {
  id: "configuration-missing",
  severity: "error",
  title: "What a container needs before it can start is missing",
  reality:
    "A ConfigMap, Secret or key that isn't `optional`, and a user that isn't root where `runAsNonRoot` asks for one, must be there before the container " +
    "can start; the kubelet tries again until it is.",
  fix: "Create the object or key that the message names, mark it `optional`, or correct the name.",
  scope:
    "A container waits with the reason CreateContainerConfigError, or the pod's last warning is FailedMount while it waits.",
  upstream: "https://kubernetes.io/docs/concepts/configuration/configmap/",
  check(view) {
    return view.view.containers.flatMap(({ name }) => {
      const waiting = view.status(name)?.state?.waiting;
      const mount = view.warnings.at(-1);
      const isMount =
        (waiting?.reason === "ContainerCreating" || waiting?.reason === "PodInitializing") &&
        mount?.reason === "FailedMount";
      if (waiting?.reason !== "CreateContainerConfigError" && !isMount) return [];
      const text = isMount ? mount.message : (waiting?.message ?? "");
      return [
        {
          containers: [name],
          message: `container "${name}" cannot be configured: ${text}`,
          evidence: [
            isMount
              ? { source: "events of the pod", detail: `FailedMount: ${mount.message}` }
              : { source: `status of container ${name}`, detail: `CreateContainerConfigError: ${text}` },
          ],
        },
      ];
    });
  },
};
