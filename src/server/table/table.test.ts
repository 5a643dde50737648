import { describe, expect, test } from "vitest";
import type { ContainerStatus, StoredPod } from "../../kube/types.ts";
import { humanDuration, timeSince } from "./human-duration.ts";
import { podState } from "./pod-state.ts";

const now = Date.parse("2026-11-22T12:00:00Z");

interface Shape {
  phase?: string;
  reason?: string;
  containers?: Partial<ContainerStatus>[];
  init?: Partial<ContainerStatus>[];
  sidecars?: string[];
  conditions?: Record<string, string>;
  deleting?: boolean;
}

function pod({
  phase = "Running",
  reason,
  containers = [],
  init = [],
  sidecars = [],
  conditions = {},
  deleting,
}: Shape): StoredPod {
  const status = (list: Partial<ContainerStatus>[]) =>
    list.map((one, index) => ({
      name: `c${index}`,
      image: "",
      imageID: "",
      ready: false,
      restartCount: 0,
      ...one,
    }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "a",
      namespace: "default",
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "2026-11-22T11:00:00Z",
      ...(deleting === true ? { deletionTimestamp: "2026-11-22T12:00:30Z" } : {}),
    },
    spec: {
      containers: (containers.length === 0 ? [{}] : containers).map((_, index) => ({ name: `c${index}` })),
      initContainers: init.map((_, index) => ({
        name: `c${index}`,
        ...(sidecars.includes(`c${index}`) ? { restartPolicy: "Always" as const } : {}),
      })),
    },
    status: {
      phase: phase as "Running",
      ...(reason === undefined ? {} : { reason }),
      conditions: Object.entries(conditions).map(([type, value]) => ({ type, status: value })),
      containerStatuses: status(containers),
      initContainerStatuses: status(init),
    },
  };
}

const running = { ready: true, state: { running: { startedAt: "2026-11-22T11:00:00Z" } } };
const waiting = (reason: string) => ({ state: { waiting: { reason } } });
const terminated = (exitCode: number, reason?: string, signal?: number) => ({
  state: {
    terminated: {
      exitCode,
      ...(reason === undefined ? {} : { reason }),
      ...(signal === undefined ? {} : { signal }),
    },
  },
});
const restarted = (restartCount: number, finishedAt: string) => ({
  restartCount,
  lastState: { terminated: { exitCode: 1, finishedAt } },
});

describe("a pod as kubectl sums it up", () => {
  const cases: [string, Shape, string, string, string?][] = [
    ["nothing known yet", { phase: "Pending" }, "0/1", "Pending"],
    ["all at work", { containers: [running, running] }, "2/2", "Running"],
    [
      "one being made",
      { phase: "Pending", containers: [running, waiting("ContainerCreating")] },
      "1/2",
      "ContainerCreating",
    ],
    [
      "crashing",
      { containers: [{ ...waiting("CrashLoopBackOff"), ...restarted(3, "2026-11-22T11:55:00Z") }] },
      "0/1",
      "CrashLoopBackOff",
      "3 (5m ago)",
    ],
    ["done", { phase: "Succeeded", containers: [terminated(0, "Completed")] }, "0/1", "Completed"],
    ["failed", { phase: "Failed", containers: [terminated(1, "Error")] }, "0/1", "Error"],
    [
      "killed by a signal that nobody named",
      { phase: "Failed", containers: [terminated(137, undefined, 9)] },
      "0/1",
      "Signal:9",
    ],
    [
      "ended with a code that nobody named",
      { phase: "Failed", containers: [terminated(3)] },
      "0/1",
      "ExitCode:3",
    ],
    [
      "one done, one at work, ready",
      { containers: [terminated(0, "Completed"), running], conditions: { Ready: "True" } },
      "1/2",
      "Running",
    ],
    [
      "one done, one at work, not ready",
      { containers: [terminated(0, "Completed"), running] },
      "1/2",
      "NotReady",
    ],
    ["evicted", { phase: "Failed", reason: "Evicted" }, "0/1", "Evicted"],
    ["being deleted", { containers: [running], deleting: true }, "1/1", "Terminating"],
    [
      "deleted after its end",
      { phase: "Succeeded", containers: [terminated(0, "Completed")], deleting: true },
      "0/1",
      "Completed",
    ],
    ["lost", { reason: "NodeLost", deleting: true }, "0/1", "Unknown"],
    [
      "second init container at work",
      { phase: "Pending", init: [terminated(0, "Completed"), running] },
      "0/1",
      "Init:1/2",
    ],
    [
      "init container waits for the pod",
      { phase: "Pending", init: [waiting("PodInitializing")] },
      "0/1",
      "Init:0/1",
    ],
    [
      "init container's image is missing",
      { phase: "Pending", init: [waiting("ImagePullBackOff")] },
      "0/1",
      "Init:ImagePullBackOff",
    ],
    [
      "init container failed",
      { phase: "Pending", init: [{ ...terminated(1, "Error"), ...restarted(1, "2026-11-22T11:59:00Z") }] },
      "0/1",
      "Init:Error",
      "1 (60s ago)",
    ],
    [
      "init container failed without a word",
      { phase: "Pending", init: [terminated(2)] },
      "0/1",
      "Init:ExitCode:2",
    ],
    [
      "initialized, restarts of init containers no longer count",
      { init: [{ ...terminated(0, "Completed"), restartCount: 4 }], containers: [running] },
      "1/1",
      "Running",
    ],
    [
      "sidecar counts",
      { init: [{ ...running, started: true, restartCount: 2 }], sidecars: ["c0"], containers: [running] },
      "2/2",
      "Running",
      "2",
    ],
  ];
  test.each(cases)("%s", (_name, shape, ready, status, restarts = "0") => {
    expect(podState(pod(shape), now)).toEqual({ ready, status, restarts });
  });
});

describe("durations", () => {
  test.each([
    ["0s", 0],
    ["0s", -500],
    ["<invalid>", -5_000],
    ["119s", 119_999],
    ["2m", 120_000],
    ["9m59s", 599_000],
    ["10m", 600_000],
    ["179m", 3 * 3_600_000 - 1],
    ["3h", 3 * 3_600_000],
    ["7h59m", 8 * 3_600_000 - 1],
    ["47h", 48 * 3_600_000 - 1],
    ["2d", 48 * 3_600_000],
    ["7d23h", 8 * 86_400_000 - 1],
    ["729d", 730 * 86_400_000 - 1],
    ["2y", 730 * 86_400_000],
    ["3y36d", (3 * 365 + 36) * 86_400_000],
    ["9y", 9 * 365 * 86_400_000],
  ])("%s", (words, milliseconds) => expect(humanDuration(milliseconds)).toBe(words));

  test("of no time at all is unknown", () => expect(timeSince(undefined, now)).toBe("<unknown>"));
});
