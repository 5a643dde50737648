import { Alarms } from "../base/alarms.ts";
import { explain, isNotFound } from "../base/errors.ts";
import { KeyedQueue } from "../base/keyed-queue.ts";
import { type Scope, withBindings } from "../base/scope.ts";
import type { KubernetesObject, StoredPod } from "../kube/types.ts";
import { BackOff, setUpLimits } from "./back-off.ts";
import { releaseClaims } from "./claims/release-claims.ts";
import { referencesOf } from "./configuration/references.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { PodState } from "./pod-state.ts";
import { inResizeOrder } from "./resize/resize-order.ts";
import { publishStatus, recordsOf } from "./status/publish.ts";
import { stopContainers } from "./stop-containers.ts";
import { syncPod } from "./sync-pod.ts";
import { gracePeriod, removePod, terminatePod } from "./terminate-pod.ts";

/**
 * One worker per pod UID: the latest update wins, and a pod goes through sync, terminating and terminated one
 * way. A round that fails is logged and tried again, later each time.
 */
export class PodWorkers {
  readonly #dependencies: AgentDependencies;
  readonly #scope: Scope;
  readonly #states = new Map<string, PodState>();
  readonly #queue: KeyedQueue;
  readonly #alarms: Alarms;
  readonly #failures = new BackOff(setUpLimits);
  #onRemoval = () => {};

  constructor(dependencies: AgentDependencies, scope: Scope) {
    this.#dependencies = dependencies;
    this.#scope = scope;
    this.#queue = new KeyedQueue(
      (uid) => this.#work(uid),
      (uid, error) => this.#retry(uid, error),
    );
    this.#alarms = new Alarms(
      (uid) => this.#queue.enqueue(uid),
      () => scope.clock.now(),
    );
  }

  /** Takes in a pod as the API has it now. */
  update(pod: StoredPod): void {
    const { uid } = pod.metadata;
    const state = this.#states.get(uid) ?? new PodState(pod);
    this.#states.set(uid, state);
    const before = state.pod;
    state.pod = pod;
    if (before !== pod) state.takeMetadata(before);
    if (pod.metadata.deletionTimestamp !== undefined) this.#hurry(state);
    this.#queue.enqueue(uid);
  }

  /** Takes note that the API has the pod no longer: it ends as fast as a forced deletion allows. */
  remove(pod: StoredPod): void {
    const state = this.#states.get(pod.metadata.uid);
    if (state === undefined) {
      // A finalizer has held it, and its claims with it.
      this.#releaseClaims(pod, this.#scope).catch((error) =>
        this.#scope.log.error({ error: explain(error) }, "claims not released"),
      );
      return;
    }
    state.gone = true;
    this.#hurry(state);
    this.#queue.enqueue(state.uid);
  }

  /** Asks for another round of one pod. */
  wake(podUID: string): void {
    if (this.#states.has(podUID)) this.#queue.enqueue(podUID);
  }

  /** Ends a pod for a reason of the node's own (an eviction). */
  end(podUID: string, ended: NonNullable<PodState["ended"]>): void {
    const state = this.#states.get(podUID);
    if (state === undefined || state.ended !== undefined || state.finished) return;
    state.ended = ended;
    this.#queue.enqueue(podUID);
  }

  /** The pods at work, whatever their phase. */
  pods(): readonly PodState[] {
    return [...this.#states.values()];
  }

  /** Resolves when nothing is left of the pods that the API has no longer, or when the signal aborts. */
  async finishRemovals(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.pods().some((state) => state.gone)) {
      await new Promise<void>((resolve) => {
        this.#onRemoval = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Takes no more work and waits for the rounds under way. Containers go on. */
  async close(): Promise<void> {
    this.#alarms.clear();
    for (const state of this.pods()) state.probes.stop();
    await this.#queue.close();
    await Promise.allSettled(this.pods().flatMap((state) => [...state.starting.values()]));
  }

  /** A deletion stops what is being set up at once and may shorten a grace period that already runs. */
  #hurry(state: PodState): void {
    state.abort.abort(new Error("the pod is being deleted"));
    // Containers of a pod that has ended by itself may be stopping already, too.
    if (state.phase !== "terminating" && !state.finished) return;
    stopContainers(state, gracePeriod(state), this.#dependencies, this.#scopeOf(state)).catch(() => {});
  }

  async #work(uid: string): Promise<void> {
    const state = this.#states.get(uid);
    if (state === undefined) return;
    const scope = this.#scopeOf(state);
    state.syncedGeneration = state.pod.metadata.generation ?? 1;
    if (state.phase === "sync") {
      if (!state.gone && state.pod.metadata.deletionTimestamp === undefined) {
        const requeue = (podUID: string, at?: number) =>
          at === undefined ? this.wake(podUID) : this.#alarms.set(podUID, Math.min(at, latestAlarm(scope)));
        const before = this.#held(state);
        await syncPod(state, this.#dependencies, requeue, scope);
        if (this.#held(state) !== before) this.#retryResizes();
        return;
      }
      state.phase = "terminating";
    }
    if (state.phase === "terminating") {
      await terminatePod(state, this.#dependencies, scope);
      state.phase = "terminated";
      state.syncedGeneration = state.pod.metadata.generation ?? 1;
      // Of a pod that never ran and that nothing holds its removal says all.
      const isHeld = (state.pod.metadata.finalizers ?? []).length > 0;
      if (isHeld || recordsOf(state, this.#dependencies).length > 0) {
        await publishStatus(state, this.#dependencies, scope);
      }
    }
    const { namespace, name } = state.pod.metadata;
    await removePod({ namespace, name, uid }, this.#dependencies, scope);
    this.#deleteFromAPI(state);
    await this.#releaseClaims(state.pod, scope);
    this.#dependencies.events.forget(uid);
    this.#dependencies.tokens.forget(uid);
    this.#alarms.clear(uid);
    this.#states.delete(uid);
    this.#retryResizes();
    this.#onRemoval();
  }

  async #releaseClaims(pod: StoredPod, scope: Scope): Promise<void> {
    if (referencesOf(pod).claims.size > 0) await releaseClaims(this.#dependencies, scope);
  }

  /** What the pod takes of the node: its grant, by generation, until it has ended. */
  #held({ uid, finished }: PodState): number | undefined {
    if (finished) return undefined;
    const sandbox = this.#dependencies.runtime.listSandboxes().find(({ podUID }) => podUID === uid);
    return sandbox?.allocated.generation;
  }

  /** Something was given back, perhaps: pods whose resize waits for that ask again, the most important first. */
  #retryResizes(): void {
    const waiting = this.pods().filter(({ resize }) => resize?.pending?.reason === "Deferred");
    for (const { uid } of inResizeOrder(waiting)) this.#queue.enqueue(uid);
  }

  /**
   * Where a finalizer holds the object, it stays for whoever set that; with a grace period of 0 it goes with its last one
   * (https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/).
   */
  #deleteFromAPI(state: PodState): void {
    if (state.gone) return;
    const { store } = this.#dependencies;
    const { namespace, name } = state.pod.metadata;
    const key = { resource: "pods", namespace, name };
    try {
      const { uid, finalizers = [], deletionGracePeriodSeconds } = store.get(key).metadata;
      // Nothing is awaited up to the write: another pod that has taken the name can't come in between.
      if (uid !== state.uid) return;
      if (finalizers.length === 0) store.delete(key);
      else if (deletionGracePeriodSeconds !== 0) store.update(key, withoutGrace);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #retry(uid: string, error: unknown): void {
    const now = this.#scope.clock.now();
    if (this.#scope.signal.aborted) return;
    const state = this.#states.get(uid);
    // What a deletion cancels is no failure; the next round is already asked for.
    if (state === undefined || (state.phase === "sync" && state.abort.signal.aborted)) {
      this.wake(uid);
      return;
    }
    this.#scopeOf(state).log.error({ error: explain(error) }, "pod round failed");
    this.#failures.next(uid, now);
    this.#alarms.set(uid, this.#failures.retryAt(uid, now));
  }

  #scopeOf(state: PodState): Scope {
    const { namespace, name } = state.pod.metadata;
    return withBindings(this.#scope, { pod: `${namespace}/${name}`, uid: state.uid });
  }
}

function withoutGrace(current: KubernetesObject): KubernetesObject {
  return { ...current, metadata: { ...current.metadata, deletionGracePeriodSeconds: 0 } };
}

/** Timers reach 24 days at most; a later alarm is asked for again by the round that comes before it. */
function latestAlarm({ clock }: Scope): number {
  return clock.now() + 86_400_000;
}
