import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setNewest } from "../../base/newest.ts";
import { cgroupV2Path } from "../../host/cgroup-mode.ts";
import { type KernelTracer, startKernelTracer } from "../../host/kernel-tracer.ts";
import { readCgroups, readNamespaceInode } from "../../host/proc.ts";
import type { ObservedProcess } from "../snapshot.ts";
import type { ObservedPod } from "../types.ts";
import { type DeepCounts, type DeepRow, deepCounts, parseTracerLine } from "./counts.ts";
import { deepProgram } from "./program.ts";

/** A machine that can't do it is asked again this much later. */
const retryMilliseconds = 60_000;
/** One map holds so many keys; before it is full all start anew. */
const manyKeys = 6_000;
const maxProcesses = 10_000;

interface Owner {
  readonly podUID: string;
  readonly container: string;
}

/** The one bpftrace process of the node, which runs only while somebody looks deep. */
export class DeepWatch {
  readonly #now: () => number;
  #tracer: KernelTracer | undefined;
  #failure: { readonly reason: string; readonly at: number } | undefined;
  #since: number | undefined;
  #coming: DeepRow[] = [];
  #rows: readonly DeepRow[] = [];
  #ticks = 0;
  #onTick: () => void = () => {};
  readonly #cgroups = new Map<number, Owner>();
  readonly #processes = new Map<number, Owner>();
  #pods: readonly ObservedPod[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether it runs or starts. */
  get running(): boolean {
    return this.#tracer !== undefined;
  }

  /** Why there is nothing, after it was asked for. */
  get missing(): string | undefined {
    if (this.#failure === undefined) return undefined;
    return (
      "bytes of Unix sockets, FIFOs and queues, Unix connections that live only for an instant, unconnected " +
      `Unix datagrams and signals are unknown: ${this.#failure.reason}`
    );
  }

  /** Starts it where it does not run. A failure is in {@link missing}. */
  start(): void {
    if (this.#tracer !== undefined) return;
    if (this.#failure !== undefined && this.#now() - this.#failure.at < retryMilliseconds) return;
    const namespace = readNamespaceInode("self", "mnt");
    if (namespace === undefined || cgroupV2Path("/") === undefined) {
      this.#failure = { reason: "the machine has no cgroup version 2 hierarchy", at: this.#now() };
      return;
    }
    this.#failure = undefined;
    this.#ticks = 0;
    this.#since = undefined;
    const tracer = startKernelTracer(
      deepProgram(namespace),
      (line) => this.#onLine(line),
      () => {
        this.#failure = { reason: tracer.failure ?? "bpftrace ended", at: this.#now() };
        this.#tracer = undefined;
        this.#onTick();
      },
    );
    this.#tracer = tracer;
  }

  /** Whether it still has to count for that many seconds. */
  waits(ticks: number): boolean {
    return this.#tracer !== undefined && this.#ticks <= ticks;
  }

  /** Resolves when it has counted for `ticks` seconds, or failed. */
  async counted(ticks: number, signal: AbortSignal): Promise<void> {
    while (this.waits(ticks) && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const before = this.#onTick;
        this.#onTick = () => {
          before();
          resolve();
        };
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Learns which cgroups are these pods' containers'; forgets those of pods that are gone. */
  know(pods: readonly ObservedPod[]): void {
    this.#pods = pods;
    const uids = new Set(pods.map(({ uid }) => uid));
    for (const [id, { podUID }] of this.#cgroups) if (!uids.has(podUID)) this.#cgroups.delete(id);
    for (const pod of pods) {
      for (const { name, cgroup } of pod.containers) {
        for (const id of cgroupIDs(cgroup)) this.#cgroups.set(id, { podUID: pod.uid, container: name });
      }
    }
  }

  /** Learns whose processes these are: one that gets SIGKILL is gone when its signal is read. */
  knowProcesses(pod: ObservedPod, processes: readonly ObservedProcess[]): void {
    for (const { hostPID, container } of processes) this.#remember(hostPID, { podUID: pod.uid, container });
  }

  #remember(pid: number, owner: Owner): void {
    setNewest(this.#processes, pid, owner, maxProcesses);
  }

  /** What was counted of this pod; undefined while nothing counts. */
  countsOf(podUID: string): DeepCounts | undefined {
    if (this.#since === undefined || this.#tracer === undefined) return undefined;
    const inPod = (owner: Owner | undefined) => (owner?.podUID === podUID ? owner.container : undefined);
    return deepCounts(
      this.#rows,
      this.#since,
      (cgroup) => inPod(this.#cgroups.get(cgroup)),
      (pid) => inPod(this.#processes.get(pid)),
    );
  }

  #onLine(line: string): void {
    const parsed = parseTracerLine(line);
    if (parsed !== "tick") {
      this.#coming.push(...parsed);
      return;
    }
    this.#since ??= this.#now();
    this.#rows = this.#coming;
    this.#coming = [];
    this.#ticks += 1;
    for (const { map, key } of this.#rows) if (map === "signals") this.#identify(Number(key[1]));
    this.#onTick();
    this.#onTick = () => {};
    const perMap = Map.groupBy(this.#rows, ({ map }) => map);
    if ([...perMap.values()].some((rows) => rows.length > manyKeys))
      void this.close().then(() => this.start());
  }

  #identify(pid: number): void {
    if (this.#processes.has(pid)) return;
    const cgroups = readCgroups(pid);
    for (const pod of this.#pods) {
      const container = pod.containers.find(({ cgroup }) =>
        cgroups.some((path) => path === cgroup || path.startsWith(`${cgroup}/`)),
      );
      if (container !== undefined) this.#remember(pid, { podUID: pod.uid, container: container.name });
    }
  }

  /** Ends it. Idempotent. */
  async close(): Promise<void> {
    const tracer = this.#tracer;
    this.#tracer = undefined;
    this.#since = undefined;
    this.#rows = [];
    this.#coming = [];
    await tracer?.close();
    this.#onTick();
  }
}

/** The ids (inodes) of a version 2 cgroup and those below it. */
function cgroupIDs(cgroup: string): number[] {
  const path = cgroupV2Path(cgroup);
  if (path === undefined) return [];
  try {
    const below = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    return [path, ...below.map((entry) => join(entry.parentPath, entry.name))].map(
      (folder) => statSync(folder).ino,
    );
  } catch {
    return [];
  }
}
