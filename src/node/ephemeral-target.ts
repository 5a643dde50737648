import { PeapodError } from "../base/errors.ts";
import type { Container } from "../kube/types.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { latestInstance } from "./instances.ts";
import type { PodState } from "./pod-state.ts";
import { recordsOf } from "./status/publish.ts";

/**
 * The process whose PID namespace an ephemeral container is to join, if it names a target. Throws
 * CreateContainerConfigError when the target does not run
 * (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#EphemeralContainer).
 */
export function targetProcess(
  state: PodState,
  container: Container & { targetContainerName?: string },
  dependencies: AgentDependencies,
): { readonly targetPID?: number } {
  const name = container.targetContainerName ?? "";
  if (name === "") return {};
  const target = latestInstance(recordsOf(state, dependencies), name);
  if (target?.phase === "Running" && target.pid !== undefined) return { targetPID: target.pid };
  throw new PeapodError("CreateContainerConfigError", `unable to find target container ${name}`);
}
