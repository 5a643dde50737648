import { describe, expect, test } from "vitest";
import type { StoredPod } from "../../kube/types.ts";
import { ago, now, podOfOwner, statusIn, stepsOf, storedObject } from "../fake-objects.ts";
import type { StoredJob } from "./job.ts";
import { planJob } from "./plan.ts";

const labels = { "batch.kubernetes.io/controller-uid": "uid-sum" };

function job(spec: object = {}, status?: object, metadata: object = {}): StoredJob {
  return storedObject(
    "batch/v1",
    "Job",
    "sum",
    {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      suspend: false,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { restartPolicy: "Never", containers: [{ name: "main" }] } },
      ...spec,
    },
    metadata,
    status,
  );
}

/** A pod of the Job; `ended` seconds ago with `exitCode`, when it has ended. */
function pod(
  name: string,
  phase: string,
  {
    ended = 0,
    exitCode = 1,
    index,
    ...metadata
  }: { ended?: number; exitCode?: number; index?: number; deletionTimestamp?: string } = {},
): StoredPod {
  const annotations =
    index === undefined ? {} : { "batch.kubernetes.io/job-completion-index": String(index) };
  const made = podOfOwner(job(), name, { phase, labels, annotations, ...metadata });
  const terminated = { exitCode, finishedAt: ago(ended) };
  const state = phase === "Failed" || phase === "Succeeded" ? { terminated } : { running: {} };
  const containerStatuses = [{ name: "main", image: "a", imageID: "a", ready: true, restartCount: 0, state }];
  return { ...made, status: { ...made.status, containerStatuses } } as StoredPod;
}

function conditionsIn(plan: ReturnType<typeof planJob>): string[] {
  const { conditions = [] } = statusIn(plan) as {
    conditions?: { type: string; status: string; reason: string }[];
  };
  return conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

const indexed = { completionMode: "Indexed", completions: 4, parallelism: 2 };

test("pods that are ended because they are too many are no failures of the Job", () => {
  const spec = { completions: 5, parallelism: 1, backoffLimit: 0 };
  const before = [pod("a", "Running"), pod("b", "Running")];
  const first = planJob(job(spec), before, now);
  expect(stepsOf(first).filter((step) => step.startsWith("delete"))).toHaveLength(1);
  const status = statusIn(first) as { uncountedTerminatedPods: { failed: string[] } };
  const [uid] = status.uncountedTerminatedPods.failed;
  const after = before.map((each) =>
    each.metadata.uid === uid ? pod(each.metadata.name, "Failed", { deletionTimestamp: ago(0) }) : each,
  );
  const second = planJob(job(spec, status), after, now);
  expect(statusIn(second)).not.toHaveProperty("failed");
  expect(conditionsIn(second)).toEqual([]);
  // As long as it is there it must be known.
  expect(statusIn(second)).toMatchObject({ uncountedTerminatedPods: { failed: [uid] } });
});

test("nor of its index", () => {
  const spec = { ...indexed, completions: 2, parallelism: 1, backoffLimitPerIndex: 0, maxFailedIndexes: 2 };
  const status = { uncountedTerminatedPods: { failed: [pod("a", "Running").metadata.uid] } };
  const dismissed = pod("a", "Failed", { index: 0, deletionTimestamp: ago(0) });
  const plan = planJob(job(spec, status), [dismissed], now);
  expect(statusIn(plan)).toMatchObject({
    failedIndexes: "",
    uncountedTerminatedPods: status.uncountedTerminatedPods,
  });
  expect(stepsOf(plan)[0]).toMatch(/^create pods sum-0-/);
});

describe("pods", () => {
  test.each<[string, object, StoredPod[], string[]]>([
    ["one is made", {}, [], ["create pods sum-*"]],
    ["one runs", {}, [pod("a", "Running")], []],
    [
      "as many as parallelism",
      { completions: 5, parallelism: 3 },
      [pod("a", "Running")],
      ["create pods sum-*", "create pods sum-*"],
    ],
    [
      "no more than are still needed",
      { completions: 3, parallelism: 3 },
      [pod("a", "Succeeded"), pod("b", "Running")],
      ["create pods sum-*"],
    ],
    [
      "one that failed is replaced after ten seconds",
      {},
      [pod("a", "Failed", { ended: 10 })],
      ["create pods sum-*"],
    ],
    ["and not before", {}, [pod("a", "Failed", { ended: 9 })], []],
    [
      "the second time after twenty",
      {},
      [pod("a", "Failed", { ended: 60 }), pod("b", "Failed", { ended: 15 })],
      [],
    ],
    [
      "a success ends the waiting",
      { completions: 2 },
      [pod("a", "Failed", { ended: 6 }), pod("b", "Succeeded", { ended: 5 })],
      ["create pods sum-*"],
    ],
    [
      "less parallelism ends pods",
      { completions: 5 },
      [pod("a", "Running"), pod("b", "Running")],
      ["delete pods a"],
    ],
    [
      "one on its way out is replaced",
      {},
      [pod("a", "Running", { deletionTimestamp: ago(0) })],
      ["create pods sum-*"],
    ],
    [
      "or only once it has ended",
      { podReplacementPolicy: "Failed" },
      [pod("a", "Running", { deletionTimestamp: ago(0) })],
      [],
    ],
    [
      "a suspended Job has none",
      { suspend: true },
      [pod("a", "Running")],
      ["delete pods a", "event Suspended: Job suspended"],
    ],
    [
      "a work queue that has succeeded makes no more",
      { completions: undefined, parallelism: 3 },
      [pod("a", "Succeeded"), pod("b", "Running")],
      [],
    ],
    [
      "an Indexed one has the first that are missing",
      indexed,
      [pod("a", "Succeeded", { index: 0 }), pod("b", "Running", { index: 2 })],
      ["create pods sum-1-*"],
    ],
    [
      "an index that failed is tried again",
      indexed,
      [pod("a", "Failed", { index: 0, ended: 20 })],
      ["create pods sum-0-*", "create pods sum-1-*"],
    ],
    [
      "one that has failed too often is given up",
      { ...indexed, backoffLimitPerIndex: 0 },
      [pod("a", "Failed", { index: 0, ended: 20 })],
      ["create pods sum-1-*", "create pods sum-2-*"],
    ],
  ])("%s", (_, spec, pods, steps) => {
    expect(stepsOf(planJob(job(spec, { startTime: ago(60) }), pods, now))).toEqual(steps);
  });

  test("the wait for a replacement ends by itself", () => {
    expect(planJob(job(), [pod("a", "Failed", { ended: 4 })], now).wakeAt).toBe(now + 6_000);
  });

  test("of an Indexed Job know their number", () => {
    const [create] = planJob(job(indexed), [], now).actions;
    expect(create).toMatchObject({
      object: {
        metadata: {
          labels: { "batch.kubernetes.io/job-completion-index": "0", ...labels },
          annotations: { "batch.kubernetes.io/job-completion-index": "0" },
        },
        spec: {
          hostname: "sum-0",
          containers: [
            {
              name: "main",
              env: [
                {
                  name: "JOB_COMPLETION_INDEX",
                  valueFrom: {
                    fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" },
                  },
                },
              ],
            },
          ],
        },
      },
    });
  });
});

describe("the end", () => {
  const complete = ["SuccessCriteriaMet=True CompletionsReached", "Complete=True CompletionsReached"];
  const failed = (reason: string) => [`FailureTarget=True ${reason}`, `Failed=True ${reason}`];
  const onFailure = { template: { spec: { restartPolicy: "OnFailure", containers: [] } } };
  const rule = (action: string, operator = "In") => ({
    podFailurePolicy: { rules: [{ action, onExitCodes: { operator, values: [42] } }] },
  });
  const restarted = (restartCount: number) => {
    const one = pod("a", "Running");
    return {
      ...one,
      status: { ...one.status, containerStatuses: [{ name: "main", restartCount }] },
    } as StoredPod;
  };

  test.each<[string, object, StoredPod[], string[]]>([
    ["all have succeeded", {}, [pod("a", "Succeeded")], complete],
    ["not all have", { completions: 2 }, [pod("a", "Succeeded")], []],
    [
      "surplus pods are ended first",
      {},
      [pod("a", "Succeeded"), pod("b", "Running")],
      ["SuccessCriteriaMet=True CompletionsReached"],
    ],
    ["a work queue is empty", { completions: undefined }, [pod("a", "Succeeded")], complete],
    [
      "a work queue is still worked at",
      { completions: undefined },
      [pod("a", "Succeeded"), pod("b", "Running")],
      [],
    ],
    ["no failure is allowed", { backoffLimit: 0 }, [pod("a", "Failed")], failed("BackoffLimitExceeded")],
    ["as many failures as are allowed", { backoffLimit: 1 }, [pod("a", "Failed")], []],
    [
      "restarts count",
      { ...onFailure, backoffLimit: 2 },
      [restarted(2)],
      ["FailureTarget=True BackoffLimitExceeded"],
    ],
    ["few restarts are fine", { ...onFailure, backoffLimit: 2 }, [restarted(1)], []],
    ["too late", { activeDeadlineSeconds: 60 }, [], failed("DeadlineExceeded")],
    ["in time", { activeDeadlineSeconds: 61 }, [], []],
    [
      "a rule fails the Job",
      rule("FailJob"),
      [pod("a", "Failed", { exitCode: 42 })],
      failed("PodFailurePolicy"),
    ],
    ["another exit code does not", rule("FailJob"), [pod("a", "Failed", { exitCode: 1 })], []],
    [
      "a rule ignores the failure",
      { ...rule("Ignore"), backoffLimit: 0 },
      [pod("a", "Failed", { exitCode: 42 })],
      [],
    ],
    [
      "all indexes are decided, one has failed",
      { ...indexed, completions: 1, backoffLimitPerIndex: 0 },
      [pod("a", "Failed", { index: 0 })],
      failed("FailedIndexes"),
    ],
    [
      "too many indexes have failed",
      { ...indexed, backoffLimitPerIndex: 0, maxFailedIndexes: 0 },
      [pod("a", "Failed", { index: 0 })],
      failed("MaxFailedIndexesExceeded"),
    ],
    [
      "the leader has succeeded",
      { ...indexed, successPolicy: { rules: [{ succeededIndexes: "0" }] } },
      [pod("a", "Succeeded", { index: 0 })],
      ["SuccessCriteriaMet=True SuccessPolicy", "Complete=True SuccessPolicy"],
    ],
  ])("%s", (_, spec, pods, conditions) => {
    expect(conditionsIn(planJob(job(spec, { startTime: ago(60) }), pods, now))).toEqual(conditions);
  });

  test("says so in an event, and when", () => {
    const plan = planJob(job(), [pod("a", "Succeeded")], now);
    expect(stepsOf(plan)).toEqual(["event Completed: Job completed"]);
    expect(statusIn(plan)).toMatchObject({
      succeeded: 1,
      completionTime: ago(0),
      uncountedTerminatedPods: {},
    });
  });

  test("is final", () => {
    const over = job({ backoffLimit: 0 }, { conditions: [{ type: "Complete", status: "True" }] });
    expect(planJob(over, [pod("a", "Failed")], now).actions).toEqual([]);
  });

  test("after it the Job is deleted in time", () => {
    const over = (since: number) =>
      job(
        { ttlSecondsAfterFinished: 30 },
        { conditions: [{ type: "Complete", status: "True", lastTransitionTime: ago(since) }] },
      );
    expect(planJob(over(20), [], now)).toEqual({ actions: [], wakeAt: now + 10_000 });
    expect(stepsOf(planJob(over(30), [], now))).toEqual(["delete jobs.batch sum"]);
  });
});

describe("counting", () => {
  /** The Job with the status that a plan has written. */
  const planned = (pods: StoredPod[], before: StoredJob): StoredJob =>
    ({ ...before, status: statusIn(planJob(before, pods, now)) }) as StoredJob;

  test("an ended pod counts once, and stays counted when it is gone", () => {
    const pods = [pod("a", "Succeeded"), pod("b", "Failed"), pod("c", "Running")];
    const first = planned(pods, job({ completions: 5 }));
    expect(first.status).toMatchObject({ succeeded: 1, failed: 1, active: 1 });
    const second = planned(pods, first);
    expect(second.status).toMatchObject({ succeeded: 1, failed: 1 });
    const third = planned([pod("d", "Succeeded")], second);
    expect(third.status).toMatchObject({ succeeded: 2, failed: 1 });
    expect(third.status?.uncountedTerminatedPods).toEqual({ succeeded: ["uid-d"] });
  });

  test("indexes are counted by themselves", () => {
    const pods = [0, 1, 2].map((index) => pod(`a${index}`, "Succeeded", { index }));
    const first = planned([...pods, pod("again", "Succeeded", { index: 1 })], job(indexed));
    expect(first.status).toMatchObject({ succeeded: 3, completedIndexes: "0-2" });
    expect(planned([], first).status).toMatchObject({ succeeded: 3, completedIndexes: "0-2" });
  });

  test("what a suspended Job ends is no failure, and its time begins anew", () => {
    const suspended = planned(
      [pod("a", "Failed", { deletionTimestamp: ago(0) })],
      job({ suspend: true }, { startTime: ago(9) }),
    );
    expect(suspended.status).not.toHaveProperty("failed");
    expect(suspended.status).not.toHaveProperty("startTime");
    const resumed = planned([], { ...suspended, spec: { ...suspended.spec, suspend: false } } as StoredJob);
    expect(resumed.status).toMatchObject({
      startTime: ago(0),
      conditions: [{ type: "Suspended", status: "False", reason: "JobResumed" }],
    });
  });
});
