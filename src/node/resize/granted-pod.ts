import { allocatedPod } from "../../kube/pod-allocation.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { AgentDependencies } from "../dependencies.ts";
import type { PodState } from "../pod-state.ts";

/** The pod with the resources that the node has granted it; before it has a sandbox, with those that it asks for. */
export function grantedPod(
  { uid, pod }: Pick<PodState, "uid" | "pod">,
  { runtime }: Pick<AgentDependencies, "runtime">,
): StoredPod {
  const sandbox = runtime.listSandboxes().find(({ podUID }) => podUID === uid);
  return allocatedPod(pod, sandbox?.allocated);
}
