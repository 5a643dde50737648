import { explain, isNotFound } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { allocationFor } from "../../kube/pod-allocation.ts";
import type { StoredPod } from "../../kube/types.ts";
import type { ContainerRecord } from "../../runtime/types.ts";
import type { AgentDependencies } from "../dependencies.ts";
import type { PodState } from "../pod-state.ts";
import { podStatus } from "./pod-status.ts";

/** The instances of a pod's containers, from the runtime. */
export function recordsOf(
  state: PodState,
  { runtime }: Pick<AgentDependencies, "runtime">,
): readonly ContainerRecord[] {
  return runtime.listContainers().filter((record) => record.podUID === state.uid);
}

/**
 * Writes the pod's status as of now into the API; an unchanged one costs no write. Does nothing when the API has
 * the pod no longer, or another one of its name.
 */
export async function publishStatus(
  state: PodState,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  if (state.gone) return;
  const { runtime, network, store, hostIPs } = dependencies;
  const { namespace, name } = state.pod.metadata;
  try {
    const updated = store.update({ resource: "pods", namespace, name }, (current) => {
      if (current.metadata.uid !== state.uid) return current;
      const pod = current as unknown as StoredPod;
      const sandbox = runtime.listSandboxes().find(({ podUID }) => podUID === state.uid);
      const status = podStatus({
        pod,
        generation: state.syncedGeneration,
        allocation: sandbox?.allocated ?? allocationFor(pod),
        resize: state.resize,
        records: recordsOf(state, dependencies),
        waiting: state.waiting,
        health: (record) => state.probes.health(pod, record),
        inHook: state.inHook,
        restarting: state.restarting,
        sandboxReady: sandbox !== undefined,
        podIPs: network.find(state.uid)?.ips ?? [],
        hostIPs,
        ended: state.ended,
        terminating: state.phase !== "sync",
        terminated: state.phase === "terminated",
        now: scope.clock.now(),
      });
      return { ...current, status };
    });
    if (updated.metadata.uid === state.uid) state.pod = updated as unknown as StoredPod;
  } catch (error) {
    if (isNotFound(error)) return;
    scope.log.error({ error: explain(error) }, "status not written");
  }
}
