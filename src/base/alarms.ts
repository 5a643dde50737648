/** One timer per key; the earliest asked for wins. Timers don't keep the process alive. */
export class Alarms {
  readonly #ring: (key: string) => void;
  readonly #now: () => number;
  readonly #timers = new Map<string, { at: number; timer: NodeJS.Timeout }>();

  constructor(ring: (key: string) => void, now: () => number) {
    this.#ring = ring;
    this.#now = now;
  }

  /** Rings for `key` at `at` (milliseconds since the epoch), or earlier when it was asked to before. */
  set(key: string, at: number): void {
    const current = this.#timers.get(key);
    if (current !== undefined && current.at <= at) return;
    if (current !== undefined) clearTimeout(current.timer);
    const timer = setTimeout(
      () => {
        this.#timers.delete(key);
        this.#ring(key);
      },
      Math.max(at - this.#now(), 0),
    );
    timer.unref();
    this.#timers.set(key, { at, timer });
  }

  /** Never rings for `key` (or, without one, at all) unless it is set again. */
  clear(key?: string): void {
    for (const [candidate, { timer }] of this.#timers) {
      if (key !== undefined && candidate !== key) continue;
      clearTimeout(timer);
      this.#timers.delete(candidate);
    }
  }
}
