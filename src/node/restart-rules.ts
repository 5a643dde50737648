import type { Container, PodSpec } from "../kube/types.ts";

/** Whether an init container is a sidecar: it stays for the pod's life and the next one waits only for its start. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/**
 * Whether a container that ended with this exit code is to run again: the first of its own rules that fits, its
 * own policy, else the pod's (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restart-rules).
 * An init container is asked only after a failure.
 */
export function restartsAfter(
  spec: Pick<PodSpec, "restartPolicy">,
  container: Container,
  exitCode: number,
): boolean {
  if (container.restartPolicy === undefined) return allows(spec.restartPolicy ?? "Always", exitCode);
  return ruleFor(container, exitCode) === "Restart" || allows(container.restartPolicy, exitCode);
}

/** Whether a container that the node itself stops, since a probe gave it up, is to run again. */
export function restartsAfterKill(spec: Pick<PodSpec, "restartPolicy">, container: Container): boolean {
  return (container.restartPolicy ?? spec.restartPolicy ?? "Always") !== "Never";
}

function allows(policy: string, exitCode: number): boolean {
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

function ruleFor(container: Container, exitCode: number): string | undefined {
  return container.restartPolicyRules?.find(({ exitCodes }) => {
    if (exitCodes === undefined) return false;
    const listed = exitCodes.values?.includes(exitCode) ?? false;
    return exitCodes.operator === "NotIn" ? !listed : listed;
  })?.action;
}
