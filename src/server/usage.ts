import type { Scope } from "../base/scope.ts";

/** What a container, or the whole node, has used so far. */
export interface UsageSample {
  /** `POD-UID/CONTAINER`, or the empty string for the node. */
  readonly id: string;
  /** Nanoseconds of processor time; only the difference of two samples means something. */
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
}

/** Where samples come from. */
export interface UsageSource {
  /** The node and every container that runs. */
  sample(): readonly UsageSample[];
}

/** Usage over a window. */
export interface Usage {
  /** Nanoseconds of processor time a second: billionths of a core. */
  readonly cpuNanocores: number;
  readonly memoryBytes: number;
}

/** One measurement of everything. */
export interface Measurement {
  /** End of the window, milliseconds since the epoch. */
  readonly at: number;
  readonly windowMilliseconds: number;
  readonly usage: ReadonlyMap<string, Usage>;
}

interface Baseline {
  readonly at: number;
  readonly samples: ReadonlyMap<string, UsageSample>;
}

const shortestWindow = 500;
const longestWindow = 60_000;

/**
 * Measures usage when somebody asks, against what was seen when somebody asked before; nothing is sampled in
 * between. The first one to ask, or after a minute, waits for half a second.
 */
export class UsageMeter {
  readonly #source: UsageSource;
  #baseline: Baseline | undefined;
  #measuring: Promise<Measurement> | undefined;

  constructor(source: UsageSource) {
    this.#source = source;
  }

  measure(scope: Scope): Promise<Measurement> {
    this.#measuring ??= this.#measure(scope).finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #measure(scope: Scope): Promise<Measurement> {
    const { clock, signal } = scope;
    let from = this.#baseline;
    if (from === undefined || clock.now() - from.at > longestWindow) from = this.#take(clock.now());
    const left = from.at + shortestWindow - clock.now();
    if (left > 0) await clock.sleep(left, signal);
    const to = this.#take(clock.now());
    this.#baseline = to;
    const windowMilliseconds = to.at - from.at;
    const usage = new Map<string, Usage>();
    for (const [id, { cpuNanoseconds, memoryBytes }] of to.samples) {
      const before = from.samples.get(id);
      // One that was not there before has no window yet.
      if (before === undefined) continue;
      const spent = Math.max(0, cpuNanoseconds - before.cpuNanoseconds);
      usage.set(id, { cpuNanocores: Math.round((spent * 1_000) / windowMilliseconds), memoryBytes });
    }
    return { at: to.at, windowMilliseconds, usage };
  }

  #take(at: number): Baseline {
    return { at, samples: new Map(this.#source.sample().map((sample) => [sample.id, sample])) };
  }
}
