import type { AgentDependencies } from "./dependencies.ts";
import type { PodState } from "./pod-state.ts";

/** Where a pod is reached from this machine; undefined while it has no address. */
export function podAddress(
  { pod, uid }: PodState,
  { network, hostIPs }: Pick<AgentDependencies, "network" | "hostIPs">,
): string | undefined {
  return pod.spec.hostNetwork === true ? hostIPs[0] : network.find(uid)?.ips[0];
}
