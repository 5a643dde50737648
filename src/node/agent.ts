import { errorCode, explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { PodSource } from "../channels/types.ts";
import type { StoredPod } from "../kube/types.ts";
import type { WatchEvent } from "../store/types.ts";
import { followConfiguration } from "./configuration/follow.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { runHousekeeping } from "./housekeeping.ts";
import { observedPods } from "./observed-pods.ts";
import { PodWorkers } from "./pod-workers.ts";
import { nodeStreams } from "./streams.ts";
import { sweep } from "./sweep.ts";
import type { NodeStreams } from "./types.ts";

/** The part of the daemon that does a kubelet's work. */
export interface Agent {
  /** The kubelet's own endpoints, for the API server. */
  readonly streams: NodeStreams;
  /** Where the channel observer learns of pods. */
  readonly source: PodSource;
  /**
   * Removes what pods left that the API no longer has, takes over the containers that run, and starts working on
   * every pod of this node. Resolves when the first round of all pods has begun.
   */
  start(): Promise<void>;
  /**
   * Stops working. Containers go on, but what is left of pods that the API has no longer (`delete --force
   * --grace-period=0`) goes first: nobody would remove it before the next start. That is given a while, no more.
   */
  stop(): Promise<void>;
}

/** How often the kernel is asked whether an event was missed; events make it fast, this makes it right. */
const relistMilliseconds = 5_000;

/** Pods that are gone have one second of grace; a stop by the CLI waits 30 s. */
const removalMilliseconds = 25_000;

/** An agent for the pods of one node. It learns of them only by list and watch, and writes only their status. */
export function createAgent(dependencies: AgentDependencies, outerScope: Scope): Agent {
  const stopping = new AbortController();
  const scope: Scope = { ...outerScope, signal: AbortSignal.any([outerScope.signal, stopping.signal]) };
  const workers = new PodWorkers(dependencies, scope);
  const { store, runtime } = dependencies;
  const running: Promise<void>[] = [];
  let unsubscribe = () => {};

  const isMine = (pod: StoredPod) => pod.spec.nodeName === dependencies.nodeName;

  function listPods({ items, resourceVersion } = store.list("pods")): string {
    const pods = (items as unknown as StoredPod[]).filter(isMine);
    const uids = new Set(pods.map((pod) => pod.metadata.uid));
    for (const state of workers.pods()) if (!uids.has(state.uid)) workers.remove(state.pod);
    for (const pod of pods) workers.update(pod);
    return resourceVersion;
  }

  function handle(event: WatchEvent): void {
    if (event.type === "BOOKMARK") return;
    const pod = event.object as unknown as StoredPod;
    if (!isMine(pod)) return;
    if (event.type === "DELETED") workers.remove(pod);
    else workers.update(pod);
  }

  async function followPods(from: string): Promise<void> {
    for (let resourceVersion = from; !scope.signal.aborted; resourceVersion = listPods()) {
      try {
        const changes = store.watch("pods", { resourceVersion, signal: scope.signal });
        for await (const event of changes) handle(event);
      } catch (error) {
        if (scope.signal.aborted) return;
        if (errorCode(error) !== "Expired") {
          scope.log.error({ error: explain(error) }, "watch of pods ended");
          await scope.clock.sleep(1_000, scope.signal);
        }
      }
    }
  }

  async function relistPeriodically(): Promise<void> {
    while (!scope.signal.aborted) {
      await scope.clock.sleep(relistMilliseconds, scope.signal);
      await runtime
        .relist(scope)
        .catch((error) => scope.log.error({ error: explain(error) }, "relist failed"));
    }
  }

  return {
    streams: nodeStreams(dependencies),
    source: {
      runningPods: () => observedPods(workers.pods(), dependencies),
      onCreated: (listener) =>
        runtime.onContainerChange((id) => {
          const record = runtime.getContainer(id);
          if (record?.phase !== "Created" || record.pid === undefined) return;
          const { podUID, name, pid, cgroup } = record;
          listener(podUID, { id, name, pid, cgroup });
        }),
    },
    async start() {
      // One list for all of it: the API is served already, and what is deleted from now on is told by the watch.
      const first = store.list("pods");
      const known = new Set(first.items.map((pod) => pod.metadata.uid));
      await sweep(known, dependencies, scope);
      for (const pod of first.items) runtime.adopt(pod as unknown as StoredPod);
      unsubscribe = runtime.onContainerChange((id) => {
        const record = runtime.getContainer(id);
        if (record !== undefined) workers.wake(record.podUID);
      });
      const resourceVersion = listPods(first);
      const background = [
        followPods(resourceVersion),
        ...followConfiguration(workers, dependencies, scope),
        relistPeriodically(),
        runHousekeeping(workers, dependencies, scope),
      ];
      for (const task of background) running.push(task.catch(() => {}));
    },
    async stop() {
      listPods();
      await workers.finishRemovals(AbortSignal.any([scope.signal, AbortSignal.timeout(removalMilliseconds)]));
      stopping.abort(new Error("the node daemon is stopping"));
      unsubscribe();
      await workers.close();
      await Promise.all(running);
    },
  };
}
