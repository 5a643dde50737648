import { Cron } from "croner";

/** When a CronJob runs. */
export interface Schedule {
  /** The first time after `time`; undefined where there is none any more. Milliseconds since the epoch. */
  next(time: number): number | undefined;
}

const names: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/**
 * Reads a schedule as CronJobs have it: five fields, a name, or `@every` and a duration
 * (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax), in `timeZone` or the machine's
 * own. Throws an Error for one that cannot be read.
 */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  const every = /^@every\s+(\S+)$/.exec(text.trim())?.[1];
  if (every !== undefined) return everyDuration(every);
  const fields = (names[text.trim()] ?? text).replaceAll("?", "*");
  const cron = new Cron(fields, {
    mode: "5-part",
    paused: true,
    ...(timeZone === undefined ? {} : { timezone: timeZone }),
  });
  return { next: (time) => cron.nextRun(new Date(time))?.getTime() };
}

/** As Go writes durations: `1h30m`, `90s`. Whole seconds, at least one. */
function everyDuration(text: string): Schedule {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  if (!/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(text)) throw new Error(`not a duration: ${text}`);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  const exact = parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ""] ?? 0), 0);
  const step = Math.max(1, Math.floor(exact / 1_000)) * 1_000;
  return { next: (time) => Math.floor(time / 1_000) * 1_000 + step };
}
