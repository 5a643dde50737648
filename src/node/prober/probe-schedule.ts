import type { Probe } from "../../kube/types.ts";

/** One attempt that is to be made. */
export interface ScheduledAttempt {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whether a failure counts: one of an extra attempt between the periods doesn't. */
  readonly failureCounts: boolean;
}

const firstExtraMilliseconds = 100;

/**
 * When a probe of one container instance is attempted: every `periodSeconds`, the first time after
 * `initialDelaySeconds` or, without one, after a period, which is as long as the kubelet may let pass. In between,
 * as long as there was no success, a probe that is waited for (readiness, startup) is tried additionally, each
 * time after twice as long, so that a container that is up soon is seen to be
 * (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe allows this). Pure but
 * for its position.
 */
export class ProbeSchedule {
  readonly #period: number;
  #tick: number;
  #extra: number | undefined;
  #extraWait = firstExtraMilliseconds;

  /** `now` counts when a later daemon takes over a container that has run for long. */
  constructor(probe: Probe, isWaitedFor: boolean, startedAt: number, now: number) {
    this.#period = (probe.periodSeconds ?? 10) * 1000;
    const delay = (probe.initialDelaySeconds ?? 0) * 1000;
    const first = startedAt + (delay > 0 ? delay : this.#period);
    const missed = Math.max(0, Math.ceil((now - first) / this.#period));
    this.#tick = first + missed * this.#period;
    this.#extra = isWaitedFor ? Math.max(startedAt + delay, now) + firstExtraMilliseconds : undefined;
  }

  /** The attempt that comes next. */
  next(): ScheduledAttempt {
    if (this.#extra !== undefined && this.#extra < this.#tick)
      return { at: this.#extra, failureCounts: false };
    return { at: this.#tick, failureCounts: true };
  }

  /** Notes that the next attempt was made and is over now; those that fell into its time are left out. */
  done({ failureCounts }: ScheduledAttempt, succeeded: boolean, now: number): void {
    if (failureCounts) {
      const periods = Math.max(1, Math.ceil((now - this.#tick) / this.#period));
      this.#tick += periods * this.#period;
    }
    if (this.#extra === undefined) return;
    if (succeeded || this.#extraWait >= this.#period) {
      this.#extra = undefined;
    } else {
      this.#extraWait *= failureCounts ? 1 : 2;
      this.#extra = now + this.#extraWait;
    }
  }

  /** Asks for an extra attempt right now, when a probe may begin because another one has succeeded. */
  hurry(now: number): void {
    if (this.#extra !== undefined) this.#extra = now;
    const missed = Math.max(0, Math.ceil((now - this.#tick) / this.#period));
    this.#tick += missed * this.#period;
  }
}
