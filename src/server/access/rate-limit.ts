import type { Clock } from "../../base/clock.ts";
import { PeapodError } from "../../base/errors.ts";
import { setNewest } from "../../base/newest.ts";

/** How many requests a caller may make: at once, and per second in the long run. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** More callers than this are not told apart for long: whoever was not seen for longest starts anew. */
const mostCallers = 1_000;

/** Limits requests by caller (a token bucket for each). */
export class RateLimit {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, "now">;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Pick<Clock, "now">) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Counts one request. Throws TooManyRequests for one that is too many. */
  take(caller: string): void {
    const { burst, perSecond } = this.#rate;
    const now = this.#clock.now();
    const before = this.#buckets.get(caller) ?? { tokens: burst, filledAt: now };
    const gained = (Math.max(0, now - before.filledAt) / 1000) * perSecond;
    const tokens = Math.min(burst, before.tokens + gained);
    setNewest(this.#buckets, caller, { tokens: Math.max(0, tokens - 1), filledAt: now }, mostCallers);
    if (tokens < 1) {
      throw new PeapodError("TooManyRequests", "Too many requests, please try again later.", {
        details: { retryAfterSeconds: 1 },
      });
    }
  }
}
