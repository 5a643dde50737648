import { setImmediate } from "node:timers/promises";
import { explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { bpf } from "../host/bpf.ts";
import type { UnixCall } from "../host/unix-call.ts";
import { UnixCallReader } from "../host/unix-call-reader.ts";
import { DeepWatch } from "./deep/watch.ts";
import { FifoWatch } from "./fifo-watch.ts";
import { channelFacts } from "./joins.ts";
import { PodChannels } from "./model.ts";
import { withKnownObjects } from "./outside-ends.ts";
import { PodSampler } from "./pod-sampler.ts";
import type { PodFile } from "./snapshot.ts";
import type {
  AddressBook,
  Channel,
  ChannelInterest,
  ChannelObserver,
  MissingEvidence,
  ObservedPod,
  PodSource,
} from "./types.ts";
import { VolumeWatch } from "./volume-watch.ts";

/** Where the observer looks and what else it may count on. */
export interface ChannelObserverOptions {
  readonly pods: PodSource;
  /** Whether the pods' containers are counted (`TrafficCounters` of `network`). */
  readonly counters: { available(): { ok: true } | { ok: false; reason: string } };
  /** Whose the addresses of ends outside the pods are; absent: nobody's. */
  readonly addresses?: AddressBook;
  /** Milliseconds between looks while somebody asks or a pod is new. Default 1000. */
  readonly busyInterval?: number;
  /** Milliseconds between looks otherwise. Default 5000. */
  readonly idleInterval?: number;
}

/** How long after a question, or after a pod came or changed, looks are taken at the busy interval. */
const busyMilliseconds = 30_000;
/** How long the deep look goes on after it was last asked for. */
const deepMilliseconds = 20_000;
/** How many seconds must have been counted before the first deep answer. */
const deepTicks = 2;
/** A look that is this young answers a question too; an older one as long as looks rest, but for new pods. */
const freshMilliseconds = 500;
const oldestMilliseconds = 5_000;
/** How soon the namespaces of a pod that is gone are let go of. */
const reapMilliseconds = 250;
/** At most one part in so many of the time is spent in looks. */
const restShare = 8;

interface Watched {
  readonly sampler: PodSampler;
  readonly channels: PodChannels;
  pod: ObservedPod;
  shape: string;
  fifos: readonly PodFile[];
  missing: readonly MissingEvidence[];
}

/**
 * The observer of all pods of the node. It keeps each pod's namespaces open, and one helper process for FIFO events, until
 * `stop`; namespaces until their pod is gone, too.
 */
export function createChannelObserver(options: ChannelObserverOptions): ChannelObserver {
  return new Observer(options);
}

class Observer implements ChannelObserver {
  readonly #options: ChannelObserverOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #volumeWatch: VolumeWatch;
  #fifoWatch: FifoWatch | undefined;
  #unixCallReader: UnixCallReader | undefined;
  #looking: Promise<void> | undefined;
  #lookedAt = 0;
  /** How long the last look took. */
  #lookTook = 0;
  /** A pod came or changed since the last look began. */
  #changed = true;
  #busyUntil = 0;
  #deep: DeepWatch | undefined;
  #deepUntil = 0;
  /** Who waits for its first counts. */
  #deepWaiting = 0;
  #running: { readonly abort: AbortController; readonly loops: Promise<unknown> } | undefined;

  constructor(options: ChannelObserverOptions) {
    this.#options = options;
    this.#volumeWatch = new VolumeWatch(() => options.pods.runningPods());
  }

  async list(
    scope: Scope,
    interest: ChannelInterest = {},
  ): Promise<{ channels: readonly Channel[]; missing: readonly MissingEvidence[] }> {
    if (interest.deep === true) await this.#lookDeep(scope);
    const now = scope.clock.now();
    if (interest.passing !== true) this.#busyUntil = now + busyMilliseconds;
    this.#follow(scope);
    const rest = Math.min(Math.max(freshMilliseconds, this.#lookTook * restShare), oldestMilliseconds);
    const isFresh = now - this.#lookedAt <= rest && !this.#changed;
    if (!isFresh || this.#looking !== undefined) await this.#look(scope);
    const counters = this.#options.counters.available();
    const missing = [
      ...(counters.ok ? [] : [{ layer: "bpf", reason: counters.reason }]),
      ...(this.#fifoWatch?.missing === undefined
        ? []
        : [{ layer: "fanotify", reason: this.#fifoWatch.missing }]),
      ...(this.#volumeWatch.missing === undefined
        ? []
        : [{ layer: "fanotify", reason: this.#volumeWatch.missing }]),
      ...(interest.deep !== true || this.#deep?.missing === undefined
        ? []
        : [{ layer: "bpftrace", reason: this.#deep.missing }]),
      // What the machine lacks explains what its pods lack.
      ...[...this.#watched.values()]
        .flatMap((each) => each.missing)
        .filter(({ layer }) => counters.ok || layer !== "bpf"),
    ];
    const { addresses } = this.#options;
    const channels = [...this.#watched.values()].flatMap((each) =>
      each.channels.list(each.pod, scope.clock.now()),
    );
    return {
      channels:
        addresses === undefined ? channels : channels.map((channel) => withKnownObjects(channel, addresses)),
      missing: [...new Map(missing.map((each) => [each.reason, each])).values()],
    };
  }

  /** Has the deep look going, and waits for its first counts. */
  async #lookDeep(scope: Scope): Promise<void> {
    this.#deepUntil = scope.clock.now() + deepMilliseconds;
    this.#deep ??= new DeepWatch(() => scope.clock.now());
    this.#deep.start();
    this.#follow(scope);
    const starting = this.#deep.waits(deepTicks);
    this.#deepWaiting += 1;
    try {
      await this.#deep.counted(deepTicks, scope.signal);
    } finally {
      this.#deepWaiting -= 1;
    }
    // A look from before knows nothing of it.
    if (starting) this.#lookedAt = 0;
    this.#deepUntil = scope.clock.now() + deepMilliseconds;
  }

  start(scope: Scope): void {
    if (this.#running !== undefined) return;
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, scope.signal]);
    const own = { ...scope, signal };
    const unsubscribe = this.#options.pods.onCreated?.((podUID, container) =>
      this.#volumeWatch.created(podUID, container, scope.clock.now()),
    );
    signal.addEventListener("abort", () => unsubscribe?.(), { once: true });
    const loops = Promise.allSettled([this.#lookForever(own), this.#reapForever(own)]);
    this.#running = { abort, loops };
  }

  async stop(): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.loops;
    this.#running = undefined;
    await this.#looking;
    for (const { sampler } of this.#watched.values()) sampler.close();
    this.#watched.clear();
    await this.#fifoWatch?.close();
    this.#fifoWatch = undefined;
    this.#volumeWatch.close();
    this.#unixCallReader?.close();
    this.#unixCallReader = undefined;
    await this.#deep?.close();
    this.#deep = undefined;
  }

  async #lookForever(scope: Scope): Promise<void> {
    const { busyInterval = 1_000, idleInterval = 5_000 } = this.#options;
    while (!scope.signal.aborted) {
      const start = performance.now();
      await this.#look(scope);
      const busy = scope.clock.now() < this.#busyUntil;
      const rest = Math.max(busy ? busyInterval : idleInterval, (performance.now() - start) * restShare);
      // A question or a new pod ends an idle wait.
      for (let waited = 0; waited < rest && !scope.signal.aborted; waited += reapMilliseconds) {
        await scope.clock.sleep(Math.min(reapMilliseconds, rest), scope.signal).catch(() => {});
        if (!busy && scope.clock.now() < this.#busyUntil) break;
      }
    }
  }

  async #reapForever(scope: Scope): Promise<void> {
    while (!scope.signal.aborted) {
      this.#follow(scope);
      this.#volumeWatch.settle(scope.clock.now());
      const isWanted = this.#deepWaiting > 0 || scope.clock.now() <= this.#deepUntil;
      if (this.#deep?.running === true && !isWanted) await this.#deep.close();
      await scope.clock.sleep(reapMilliseconds, scope.signal).catch(() => {});
    }
  }

  /** Brings the watched pods in line with those that run. */
  #follow(scope: Scope): void {
    const pods = new Map(this.#options.pods.runningPods().map((pod) => [pod.uid, pod]));
    const gone = [...this.#watched].filter(([uid]) => !pods.has(uid));
    for (const [uid] of gone) this.#watched.delete(uid);
    for (const [uid, pod] of pods) {
      const shape = pod.containers.map(({ id }) => id).join(" ");
      const watched = this.#watched.get(uid);
      if (watched === undefined || watched.shape !== shape) {
        this.#busyUntil = scope.clock.now() + busyMilliseconds;
        this.#changed = true;
      }
      if (watched === undefined) {
        const parts = { sampler: new PodSampler(), channels: new PodChannels() };
        this.#watched.set(uid, { ...parts, pod, shape, fifos: [], missing: [] });
      } else {
        watched.pod = pod;
        watched.shape = shape;
      }
    }
    if (this.#deep?.running === true) this.#deep.know([...pods.values()]);
    for (const [, { sampler }] of gone) sampler.close();
    // A pod whose containers have all ended is about to go: its namespaces must not be held for it.
    for (const { pod, sampler } of this.#watched.values()) if (pod.containers.length === 0) sampler.release();
  }

  /** One look at all pods. Whoever asks while one is under way gets that one. */
  #look(scope: Scope): Promise<void> {
    this.#looking ??= this.#lookOnce(scope).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(scope: Scope): Promise<void> {
    const start = performance.now();
    this.#follow(scope);
    this.#changed = false;
    this.#fifoWatch ??= new FifoWatch(
      () => [...this.#watched.values()].map(({ pod }) => pod),
      () => scope.clock.now(),
    );
    await Promise.all([this.#fifoWatch.start(), this.#volumeWatch.start()]);
    const fifoWatch = this.#fifoWatch;
    this.#volumeWatch.look(scope.clock.now());
    // Before the sockets: who calls a server that begins to listen in between is not known to have been answered.
    const unixCalls = await this.#readUnixCalls(scope);
    for (const watched of [...this.#watched.values()]) {
      await this.#lookAt(watched, fifoWatch, unixCalls, scope);
      // Whoever else waits for this thread gets it between two pods.
      await setImmediate();
    }
    fifoWatch.watchOnly([...this.#watched.values()].flatMap(({ fifos }) => fifos));
    this.#lookedAt = scope.clock.now();
    this.#lookTook = performance.now() - start;
  }

  async #readUnixCalls(scope: Scope): Promise<ReadonlyMap<string, readonly UnixCall[]>> {
    const calls = await bpf();
    if (calls === undefined) return new Map();
    this.#unixCallReader ??= new UnixCallReader(calls);
    const cgroups = [...this.#watched.values()].flatMap(({ pod }) =>
      pod.containers.map(({ cgroup }) => cgroup),
    );
    try {
      return this.#unixCallReader.read(cgroups);
    } catch (error) {
      scope.log.warn({ error: explain(error) }, "reading the calls of Unix sockets failed");
      return new Map();
    }
  }

  async #lookAt(
    watched: Watched,
    fifoWatch: FifoWatch,
    unixCalls: ReadonlyMap<string, readonly UnixCall[]>,
    scope: Scope,
  ): Promise<void> {
    const { pod, sampler, channels } = watched;
    const now = scope.clock.now();
    if (pod.containers.length === 0) {
      watched.fifos = [];
      channels.update(pod, [], now);
      return;
    }
    try {
      const { snapshot, missing } = await sampler.look(pod, now, {
        fifoUses: (fifos) => {
          watched.fifos = fifos;
          return fifoWatch.usesOf(pod.uid, fifos);
        },
        fileUses: () => this.#volumeWatch.usesOf(pod.uid),
        unixCalls,
        deepCounts: (processes) => {
          this.#deep?.knowProcesses(pod, processes);
          return this.#deep?.countsOf(pod.uid);
        },
      });
      watched.missing = missing;
      channels.update(pod, channelFacts(snapshot), now);
    } catch (error) {
      scope.log.warn({ pod: pod.name, error: explain(error) }, "looking at a pod's channels failed");
    }
  }
}
