import type { Schedule } from "./schedule.ts";

/** Past times that nothing was started for. */
export interface DueTime {
  /** The latest of them, in milliseconds since the epoch; undefined when there is none. */
  readonly latest: number | undefined;
  /** How many there are; counting stops at {@link tooMany}. */
  readonly missed: number;
  /** The first time to come. */
  readonly next: number | undefined;
}

/** More than so many missed times are news (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#job-creation). */
export const tooMany = 100;

/** The times of the schedule after `from`, as they lie about `now`. */
export function dueTime(schedule: Schedule, from: number, now: number): DueTime {
  let latest: number | undefined;
  let missed = 0;
  let next = schedule.next(from);
  while (next !== undefined && next <= now) {
    latest = next;
    missed += 1;
    // A machine that was off for long: the times just before now are enough.
    if (missed === tooMany + 1) latest = lastBefore(schedule, next, now);
    next = schedule.next(latest);
    if (missed > tooMany) return { latest, missed, next: schedule.next(now) };
  }
  return { latest, missed, next };
}

/** Halves the way to `now` until the last time before it is found. */
function lastBefore(schedule: Schedule, known: number, now: number): number {
  let [last, end] = [known, now];
  while (end - last > 1_000) {
    const middle = Math.floor((last + end) / 2);
    const found = schedule.next(middle);
    if (found !== undefined && found <= now) last = found;
    else end = middle;
  }
  return last;
}
