import { explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { releaseClaims } from "./claims/release-claims.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { diskUse, limitsStorage, storageExcess } from "./ephemeral-storage.ts";
import { reportNetwork } from "./network-condition.ts";
import type { PodState } from "./pod-state.ts";
import type { PodWorkers } from "./pod-workers.ts";
import { sweepPods } from "./sweep.ts";

/** The kubelet's containerLogMonitorInterval and its eviction manager's interval are both 10 s. */
const tickMilliseconds = 10_000;

/** The kubelet's immediateEvictionGracePeriodSeconds: a pod that fills the disk does not get to say how long. */
const evictionGraceSeconds = 1;

/** The API server keeps events for one hour (--event-ttl). */
const eventLifetimeMilliseconds = 3_600_000;

/**
 * What has to be done now and then, until the scope ends: rotate logs, mend the network, watch volume limits, remove
 * strays, forget old events.
 */
export async function runHousekeeping(
  workers: PodWorkers,
  dependencies: AgentDependencies,
  scope: Scope,
): Promise<void> {
  while (!scope.signal.aborted) {
    await scope.clock.sleep(tickMilliseconds, scope.signal);
    for (const [name, chore] of Object.entries(chores)) {
      await chore(workers, dependencies, scope).catch((error) => {
        if (!scope.signal.aborted) scope.log.error({ chore: name, error: explain(error) }, "chore failed");
      });
    }
  }
}

type Chore = (workers: PodWorkers, dependencies: AgentDependencies, scope: Scope) => Promise<void>;

const chores: Record<string, Chore> = {
  rotateLogs: (_workers, { runtime }, scope) => runtime.rotateLogs(scope),

  async mendNetwork(_workers, { network, store, nodeName }, scope) {
    await network.mend(scope);
    reportNetwork(store, nodeName, network.obstacles(), scope);
  },

  /** https://kubernetes.io/docs/concepts/storage/volumes/#emptydir: over its sizeLimit a pod is evicted. */
  async enforceVolumeLimits(workers, dependencies, scope) {
    for (const state of workers.pods()) {
      if (state.phase !== "sync" || state.finished || !hasSizeLimit(state.pod.spec.volumes)) continue;
      for (const { name, usedBytes, limitBytes } of await dependencies.volumes.usage(state.pod, scope)) {
        if (limitBytes === undefined || usedBytes <= limitBytes) continue;
        const limit = state.pod.spec.volumes?.find((volume) => volume.name === name)?.emptyDir?.sizeLimit;
        const message = `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
        evict(state, message, workers, dependencies, scope);
      }
    }
  },

  /** https://kubernetes.io/docs/concepts/storage/ephemeral-storage/: over its limits a pod is evicted. */
  async enforceStorageLimits(workers, dependencies, scope) {
    for (const state of workers.pods()) {
      if (state.phase !== "sync" || state.finished || !limitsStorage(state.pod)) continue;
      const message = storageExcess(state.pod, await diskUse(state.pod, dependencies, scope));
      if (message !== undefined) evict(state, message, workers, dependencies, scope);
    }
  },

  releaseClaims: (_workers, dependencies, scope) => releaseClaims(dependencies, scope),

  /** What could not be removed at first. */
  sweepPods: (workers, dependencies, scope) =>
    sweepPods(
      () => {
        const listed = dependencies.store.list("pods").items.map(({ metadata }) => metadata.uid);
        return new Set([...listed, ...workers.pods().map(({ uid }) => uid)]);
      },
      dependencies,
      scope,
    ),

  async reserveSpace(_workers, { store }) {
    store.reserveSpace();
  },

  async forgetOldEvents(_workers, { store }, scope) {
    const oldest = scope.clock.now() - eventLifetimeMilliseconds;
    for (const event of store.list("events").items) {
      const last = (event.lastTimestamp as string | undefined) ?? event.metadata.creationTimestamp;
      if (Date.parse(last) >= oldest) continue;
      const { namespace, name } = event.metadata;
      store.delete({ resource: "events", namespace: namespace ?? "", name });
    }
  },
};

function evict(
  state: PodState,
  message: string,
  workers: PodWorkers,
  { events }: AgentDependencies,
  scope: Scope,
): void {
  events.record(state.pod, "Warning", "Evicted", message, scope);
  workers.end(state.uid, {
    phase: "Failed",
    reason: "Evicted",
    message,
    gracePeriodSeconds: evictionGraceSeconds,
  });
}

function hasSizeLimit(
  volumes: readonly { emptyDir?: { sizeLimit?: unknown } | undefined }[] | undefined,
): boolean {
  return volumes?.some((volume) => volume.emptyDir?.sizeLimit !== undefined) ?? false;
}
