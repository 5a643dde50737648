import { PeapodError } from "../base/errors.ts";
import { type Scope, withTimeout } from "../base/scope.ts";
import { humanDuration } from "./duration.ts";

/**
 * Runs something that must end within `milliseconds` (undefined or 0: no limit). Rejects with `Timeout`, naming what
 * was waited for, when the time is over.
 */
export async function withDeadline<T>(
  milliseconds: number | undefined,
  waitingFor: string,
  scope: Scope,
  work: (scope: Scope) => Promise<T>,
): Promise<T> {
  if (milliseconds === undefined || milliseconds <= 0) return work(scope);
  const limited = withTimeout(scope, milliseconds);
  try {
    return await work(limited);
  } catch (error) {
    if (limited.signal.aborted && !scope.signal.aborted) {
      throw new PeapodError(
        "Timeout",
        `timed out after ${humanDuration(milliseconds)} waiting for ${waitingFor}`,
      );
    }
    throw error;
  }
}
