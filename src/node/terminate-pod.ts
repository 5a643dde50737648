import type { Scope } from "../base/scope.ts";
import { podOfImageFolder } from "./configuration/image-folder.ts";
import type { AgentDependencies } from "./dependencies.ts";
import type { PodState } from "./pod-state.ts";
import { stopContainers } from "./stop-containers.ts";

/** Seconds that a pod's containers have between SIGTERM and SIGKILL. A forced deletion still gives one. */
export function gracePeriod({ pod, gone }: PodState): number {
  const asked = pod.metadata.deletionGracePeriodSeconds;
  if (gone && asked === undefined) return 1;
  return Math.max(asked ?? pod.spec.terminationGracePeriodSeconds ?? 30, 1);
}

/**
 * Second phase of a pod's life: everything under way is cancelled and all containers are stopped.
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
 */
export async function terminatePod(
  state: PodState,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  state.abort.abort(new Error("the pod is being deleted"));
  state.probes.quiet();
  await Promise.allSettled(state.starting.values());
  await stopContainers(state, gracePeriod(state), dependencies, scope);
  state.probes.stop();
  state.waiting = new Map();
}

/**
 * Gives back network, volumes and sandbox of a pod whose containers have stopped. Idempotent; everything is
 * tried even when something fails, and the first failure is thrown at the end.
 */
export async function releaseResources(
  podUID: string,
  { network, volumes, runtime, images }: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const rootfs = runtime
    .listContainers()
    .filter((record) => record.podUID === podUID)
    .map((record) => images.removeRootfs(record.id, scope));
  await settled([...rootfs, network.detach(podUID, scope)]);
  await settled([volumes.unmount(podUID, scope), runtime.removeSandbox(podUID, scope)]);
  const imageVolumes = images.listRootfs().filter((id) => podOfImageFolder(id) === podUID);
  await settled(imageVolumes.map((id) => images.removeRootfs(id, scope)));
}

/**
 * Third phase: removes every trace of a pod whose containers have stopped. Idempotent, also for a pod that the
 * agent knows only from what it left on this machine.
 */
export async function removePod(
  pod: { namespace: string; name: string; uid: string },
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  const { runtime, images } = dependencies;
  const records = runtime.listContainers().filter((record) => record.podUID === pod.uid);
  await settled(
    records.map(async (record) => {
      await runtime.removeContainer(record.id, scope);
      await images.removeRootfs(record.id, scope);
    }),
  );
  await releaseResources(pod.uid, dependencies, scope);
  runtime.removeLogs(pod);
}

async function settled(steps: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(steps)) {
    if (result.status === "rejected") throw result.reason;
  }
}
