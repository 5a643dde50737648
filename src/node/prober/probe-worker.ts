import type { Scope } from "../../base/scope.ts";
import type { Probe } from "../../kube/types.ts";
import { ProbeCounter } from "./probe-counter.ts";
import { ProbeSchedule } from "./probe-schedule.ts";
import type { ProbeKind, ProbeResult } from "./types.ts";

/** What a worker needs of the world around it. */
export interface ProbeWorkerParts {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  /** When the container's process was started, milliseconds since the epoch. */
  readonly startedAt: number;
  /** What is taken for true before the first result: from the status that an earlier daemon wrote, if any. */
  readonly initial: ProbeResult;
  /** Makes one attempt. Undefined: it could not be made, and says nothing. */
  readonly attempt: (failureCounts: boolean, scope: Scope) => Promise<"Success" | "Failure" | undefined>;
  /** Whether the container's startup probe has succeeded: the others wait for it. */
  readonly isStarted: () => boolean;
  /** Called when the result has become another one. */
  readonly onChange: () => void;
}

/**
 * Probes one instance of a container until it is stopped, as the kubelet's prober worker does. A startup probe
 * ends with its success; a liveness or startup probe ends when it gives the container up.
 */
export class ProbeWorker {
  readonly #parts: ProbeWorkerParts;
  readonly #stopping = new AbortController();
  #result: ProbeResult;
  #poked = () => {};

  constructor(parts: ProbeWorkerParts) {
    this.#parts = parts;
    this.#result = parts.initial;
  }

  get result(): ProbeResult {
    return this.#result;
  }

  /** Probes until {@link stop}, the end of the scope or the last word. Never rejects for either end. */
  async run(outerScope: Scope): Promise<void> {
    const { kind, probe, startedAt, isStarted } = this.#parts;
    const signal = AbortSignal.any([outerScope.signal, this.#stopping.signal]);
    const scope: Scope = { ...outerScope, signal };
    const { clock } = scope;
    if (kind === "startup" && this.#result === "Success") return;
    const isWaitedFor = kind !== "liveness" && this.#result !== "Success";
    const schedule = new ProbeSchedule(probe, isWaitedFor, startedAt, clock.now());
    const counter = new ProbeCounter(probe);
    try {
      for (;;) {
        if (kind !== "startup" && !isStarted()) {
          await this.#poke(signal);
          schedule.hurry(clock.now());
          continue;
        }
        const next = schedule.next();
        const wait = next.at - clock.now();
        if (wait > 0) await clock.sleep(wait, signal);
        const found = await this.#parts.attempt(next.failureCounts, scope);
        signal.throwIfAborted();
        schedule.done(next, found === "Success", clock.now());
        if (found === undefined || (found === "Failure" && !next.failureCounts)) continue;
        const reached = counter.count(found);
        if (reached === undefined) continue;
        this.#set(reached);
        if (kind === "startup" || (kind === "liveness" && reached === "Failure")) return;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Tells a worker that waits for the container's start to look again. */
  poke(): void {
    this.#poked();
  }

  /** Ends the worker; an attempt under way is broken off. Idempotent. */
  stop(): void {
    this.#stopping.abort(new Error("the probe is stopped"));
  }

  #set(result: ProbeResult): void {
    if (this.#result === result) return;
    this.#result = result;
    this.#parts.onChange();
  }

  #poke(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#poked = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
    });
  }
}
