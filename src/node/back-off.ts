/** Waits that double with each failure and are forgotten after a long quiet time; one per key. */
export interface BackOffLimits {
  readonly initialMilliseconds: number;
  readonly maximumMilliseconds: number;
}

/**
 * Restarts: 10 s, doubled up to 5 min, forgotten after 10 min without a crash
 * (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy).
 */
export const restartLimits: BackOffLimits = { initialMilliseconds: 10_000, maximumMilliseconds: 300_000 };

/** Image pulls: the same numbers (https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff). */
export const imagePullLimits: BackOffLimits = { ...restartLimits };

/** Sandboxes and volumes: retried soon, since what is missing (a folder, a port) is often about to appear. */
export const setUpLimits: BackOffLimits = { initialMilliseconds: 1_000, maximumMilliseconds: 60_000 };

interface Entry {
  readonly wait: number;
  readonly updated: number;
}

/** Back-off per key, with the kubelet's rule that the first failure costs no wait at all. */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #entries = new Map<string, Entry>();

  constructor(limits: BackOffLimits) {
    this.#limits = limits;
  }

  /** Until when a retry must wait that follows a failure at `failedAt`; `failedAt` itself means not at all. */
  retryAt(key: string, failedAt: number): number {
    const entry = this.#entries.get(key);
    return entry === undefined || this.#forgotten(entry, failedAt) ? failedAt : failedAt + entry.wait;
  }

  /** Notes that a retry is made now, after a failure at `failedAt`: the next one waits longer. */
  next(key: string, failedAt: number): void {
    const entry = this.#entries.get(key);
    const wait =
      entry === undefined || this.#forgotten(entry, failedAt)
        ? this.#limits.initialMilliseconds
        : Math.min(entry.wait * 2, this.#limits.maximumMilliseconds);
    this.#entries.set(key, { wait, updated: failedAt });
  }

  /** The wait of the next retry in milliseconds, for messages. */
  currentWait(key: string): number {
    return this.#entries.get(key)?.wait ?? 0;
  }

  #forgotten(entry: Entry, failedAt: number): boolean {
    return failedAt - entry.updated > 2 * this.#limits.maximumMilliseconds;
  }
}
