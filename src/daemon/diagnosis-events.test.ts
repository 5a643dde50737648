import { expect, test } from "vitest";
import type { StoredPod } from "../kube/types.ts";
import { diagnosisReason, isUnhealthy } from "./diagnosis-events.ts";

const now = Date.parse("2026-01-01T00:01:00Z");

function pod(
  state: object,
  more: object = {},
  phase = "Running",
  created = "2026-01-01T00:00:00Z",
): StoredPod {
  return {
    metadata: { creationTimestamp: created },
    status: { phase, containerStatuses: [{ name: "a", ready: true, lastState: {}, state, ...more }] },
  } as unknown as StoredPod;
}

test.each<[string, boolean, StoredPod]>([
  ["runs and is ready", false, pod({ running: {} })],
  ["is not ready", true, pod({ running: {} }, { ready: false })],
  ["was restarted", true, pod({ running: {} }, { lastState: { terminated: { exitCode: 1 } } })],
  ["waits", true, pod({ waiting: { reason: "ImagePullBackOff" } })],
  ["waits for an init container", false, pod({ waiting: { reason: "PodInitializing" } }, { ready: false })],
  ["failed", true, pod({ terminated: { exitCode: 1 } }, {}, "Failed")],
  ["has done its work", false, pod({ terminated: { exitCode: 0 } }, { ready: false }, "Succeeded")],
  [
    "has only just been made",
    false,
    pod({ waiting: { reason: "ContainerCreating" } }, {}, "Pending", "2026-01-01T00:00:58Z"),
  ],
])("a pod that %s: unhealthy %s", (_, expected, given) => {
  expect(isUnhealthy(given, now)).toBe(expected);
});

test("a rule's name as the reason of an event", () => {
  expect(diagnosisReason("not-pid-1")).toBe("DiagnosisNotPid1");
  expect(diagnosisReason("port-taken")).toBe("DiagnosisPortTaken");
});
