import type { Clock } from "./clock.ts";

/** A moment that can be brought forward but not put off. Its signal aborts when it has come. */
export class Deadline {
  readonly #clock: Clock;
  readonly #passed = new AbortController();
  #timer = new AbortController();
  #at: number;

  /** `at` is milliseconds since the epoch. */
  constructor(at: number, clock: Clock) {
    this.#at = at;
    this.#clock = clock;
    this.#wait();
  }

  get signal(): AbortSignal {
    return this.#passed.signal;
  }

  /** Milliseconds that are left, 0 when it has passed. */
  remaining(): number {
    return Math.max(0, this.#at - this.#clock.now());
  }

  /** Brings the moment forward to `at`; does nothing when it is earlier already. Says whether it did. */
  shorten(at: number): boolean {
    if (at >= this.#at) return false;
    this.#at = at;
    this.#timer.abort();
    this.#timer = new AbortController();
    this.#wait();
    return true;
  }

  /** Stops the timer; the signal never aborts then. */
  cancel(): void {
    this.#timer.abort();
  }

  #wait(): void {
    this.#clock.sleep(this.remaining(), this.#timer.signal).then(
      () => this.#passed.abort(new Error("the deadline has passed")),
      () => {},
    );
  }
}
