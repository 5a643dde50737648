import { describe, expect, test } from "vitest";
import { ago, now, statusIn, stepsOf, storedObject } from "../fake-objects.ts";
import type { StoredJob } from "../job/job.ts";
import { controllerReference } from "../ownership.ts";
import { dueTime } from "./due-time.ts";
import { planCronJob, type StoredCronJob } from "./plan.ts";
import { parseSchedule } from "./schedule.ts";

// Now is 2026-08-01T12:00:00Z.

function cronJob(spec: object = {}, status: object = {}): StoredCronJob {
  const jobTemplate = { metadata: { labels: { app: "tick" } }, spec: { template: {} } };
  return storedObject(
    "batch/v1",
    "CronJob",
    "tick",
    { schedule: "*/10 * * * *", timeZone: "UTC", jobTemplate, ...spec },
    { creationTimestamp: ago(60) },
    status,
  );
}

function job(name: string, end?: "Complete" | "Failed", age = 0): StoredJob {
  const conditions = end === undefined ? [] : [{ type: end, status: "True" }];
  const completionTime = end === "Complete" ? { completionTime: ago(age) } : {};
  const metadata = { ownerReferences: [controllerReference(cronJob())], creationTimestamp: ago(age) };
  return storedObject("batch/v1", "Job", name, {}, metadata, { conditions, ...completionTime });
}

const minutes = now / 60_000;
const due = `create jobs.batch tick-${minutes}`;

test.each<[string, StoredCronJob, StoredJob[], string[]]>([
  ["its time has come", cronJob(), [], [due]],
  ["it was seen already", cronJob({}, { lastScheduleTime: ago(0) }), [], []],
  ["its Job is there already, though the status does not say so", cronJob(), [job(`tick-${minutes}`)], []],
  ["its time has not come", cronJob({ schedule: "5 * * * *" }), [], []],
  ["suspended", cronJob({ suspend: true }), [], []],
  ["Allow: beside another", cronJob({ concurrencyPolicy: "Allow" }), [job("a")], [due]],
  [
    "Forbid: not beside another",
    cronJob({ concurrencyPolicy: "Forbid" }),
    [job("a")],
    [
      "event JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid",
    ],
  ],
  [
    "Replace: instead of another",
    cronJob({ concurrencyPolicy: "Replace" }),
    [job("a")],
    ["delete jobs.batch a", due],
  ],
  ["too late", cronJob({ schedule: "59 11 * * *", startingDeadlineSeconds: 30 }), [], []],
  ["only the latest of the missed times", cronJob({}, { lastScheduleTime: ago(6_000) }), [], [due]],
  [
    "old Jobs go",
    cronJob({ suspend: true, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }),
    [job("a", "Complete", 30), job("b", "Complete", 20), job("c", "Failed", 10), job("d")],
    ["delete jobs.batch a", "delete jobs.batch c"],
  ],
  [
    "what ended is said once",
    cronJob(
      { suspend: true },
      {
        active: [
          { uid: "uid-a", name: "a" },
          { uid: "uid-z", name: "z" },
        ],
      },
    ),
    [job("a", "Complete")],
    [
      "event SawCompletedJob: Saw completed job: a, condition: Complete",
      "event MissingJob: Active job went missing: z",
    ],
  ],
  [
    "a schedule that nobody can read",
    cronJob({ schedule: "61 * * * *" }),
    [],
    [expect.stringMatching(/^event UnparseableSchedule: /)],
  ],
])("%s", (_, of, jobs, steps) => {
  expect(stepsOf(planCronJob(of, jobs, now))).toEqual(steps);
});

test("the status says what runs, and when it ran", () => {
  const plan = planCronJob(cronJob(), [job("a"), job("b", "Complete", 5)], now);
  expect(statusIn(plan)).toMatchObject({
    active: [{ kind: "Job", name: "a", uid: "uid-a" }],
    lastScheduleTime: ago(0),
    lastSuccessfulTime: ago(5),
  });
  expect(plan.wakeAt).toBe(now + 600_000);
});

test("a Job that could not be made is not taken for made", () => {
  const failure = { reason: "FailedCreate", message: "quota" };
  const plan = planCronJob(cronJob(), [], now, failure);
  expect(stepsOf(plan)).toEqual([]);
  expect(statusIn(plan)).not.toHaveProperty("lastScheduleTime");
});

describe("schedules", () => {
  const next = (schedule: string, timeZone?: string) => {
    const time = parseSchedule(schedule, timeZone ?? "UTC").next(now);
    return time === undefined ? undefined : new Date(time).toISOString();
  };

  test.each([
    ["* * * * *", "2026-08-01T12:01:00.000Z"],
    ["0 0 13 * 5", "2026-08-07T00:00:00.000Z"],
    ["30 8 ? * MON-FRI", "2026-08-03T08:30:00.000Z"],
    ["@hourly", "2026-08-01T13:00:00.000Z"],
    ["@yearly", "2027-01-01T00:00:00.000Z"],
    ["@every 1h30m", "2026-08-01T13:30:00.000Z"],
  ])("%s", (schedule, time) => {
    expect(next(schedule)).toBe(time);
  });

  test("are in the time zone that is said", () => {
    expect(next("0 9 * * *", "Asia/Tokyo")).toBe("2026-08-02T00:00:00.000Z");
  });

  test.each(["", "* * * *", "61 * * * *", "@every", "@every soon"])("%j is none", (schedule) => {
    expect(() => parseSchedule(schedule, undefined)).toThrow();
  });

  test("a year of missed minutes is not counted one by one", () => {
    let asked = 0;
    const schedule = parseSchedule("* * * * *", "UTC");
    const counted = {
      next: (time: number) => {
        asked += 1;
        return schedule.next(time);
      },
    };
    const { latest, missed } = dueTime(counted, now - 365 * 86_400_000, now);
    expect(latest).toBe(now);
    expect(missed).toBe(101);
    expect(asked).toBeLessThan(200);
  });
});
