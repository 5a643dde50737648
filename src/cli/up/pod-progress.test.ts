import { expect, test } from "vitest";
import type { ContainerStatus, PodStatus } from "../../kube/types.ts";
import { containerProgress, podVerdict } from "./pod-progress.ts";

const container = (name: string, state: ContainerStatus["state"], more: Partial<ContainerStatus> = {}) =>
  ({ name, image: "x", imageID: "", ready: false, restartCount: 0, state, ...more }) as ContainerStatus;

const pod = (status: PodStatus) => ({
  apiVersion: "v1" as const,
  kind: "Pod" as const,
  spec: { initContainers: [{ name: "init" }], containers: [{ name: "a" }, { name: "b" }] },
  status,
});

const time = "2026-01-01T00:00:00Z";
const running = { running: { startedAt: time } };
const ended = (exitCode: number, reason: string) => ({
  terminated: { exitCode, reason, startedAt: time, finishedAt: time },
});

test("the stages of containers, in the manifest's order", () => {
  const status = {
    initContainerStatuses: [container("init", ended(0, "Completed"))],
    containerStatuses: [
      container("b", { waiting: { reason: "ContainerCreating" } }),
      container("a", running, { ready: true }),
    ],
  };
  expect(containerProgress(pod(status))).toEqual([
    { name: "init", stage: "completed", detail: "" },
    { name: "a", stage: "ready", detail: "" },
    { name: "b", stage: "waiting", detail: "ContainerCreating" },
  ]);
  expect(containerProgress(pod({}))[0]).toEqual({ name: "init", stage: "waiting", detail: "Pending" });
});

test.each<[string, PodStatus, object]>([
  ["nothing known yet", { phase: "Pending" }, { state: "pending" }],
  [
    "running, not ready",
    { phase: "Running", containerStatuses: [container("a", running)] },
    { state: "pending" },
  ],
  ["ready", { phase: "Running", conditions: [{ type: "Ready", status: "True" }] }, { state: "ready" }],
  ["succeeded", { phase: "Succeeded" }, { state: "succeeded" }],
  [
    "failed by a container",
    {
      phase: "Failed",
      containerStatuses: [container("a", ended(0, "Completed")), container("b", ended(7, "Error"))],
    },
    { state: "failed", container: "b", reason: "Error", message: "exit code 7", ran: true },
  ],
  [
    "failed as a whole",
    { phase: "Failed", reason: "DeadlineExceeded", message: "too late" },
    { state: "failed", reason: "DeadlineExceeded", message: "too late", ran: false },
  ],
  [
    "an image that can't be pulled",
    {
      phase: "Pending",
      containerStatuses: [container("a", { waiting: { reason: "ErrImagePull", message: "no such host" } })],
    },
    { state: "failed", container: "a", reason: "ErrImagePull", message: "no such host", ran: false },
  ],
  [
    "a container that crashes again and again",
    {
      phase: "Running",
      containerStatuses: [
        container(
          "a",
          { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
          { lastState: ended(1, "Error") },
        ),
      ],
    },
    { state: "failed", container: "a", reason: "CrashLoopBackOff", ran: true },
  ],
  [
    "a restarting container that has not backed off yet",
    { phase: "Running", containerStatuses: [container("a", ended(1, "Error"))] },
    { state: "pending" },
  ],
])("%s", (_name, status, expected) => {
  expect(podVerdict(pod(status))).toMatchObject(expected);
});
