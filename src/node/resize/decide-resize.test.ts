import { expect, test } from "vitest";
import { allocationFor } from "../../kube/pod-allocation.ts";
import type { StoredPod } from "../../kube/types.ts";
import { decideResize } from "./decide-resize.ts";

const allocatable = { cpu: "2", memory: "1Gi" };
const others = new Map([
  ["cpu", 500n],
  ["memory", 256n * 2n ** 20n],
]);

function pod(cpu: string, memory: string, generation = 1): StoredPod {
  const resources = { requests: { cpu, memory } };
  return {
    metadata: { generation },
    spec: { containers: [{ name: "a", resources }] },
  } as unknown as StoredPod;
}

const decide = (wanted: StoredPod, granted = pod("1", "512Mi"), used = others) =>
  decideResize(wanted, allocationFor(granted), allocatable, () => used);

test("the same amounts in other words are no resize", () => {
  expect(decide(pod("1000m", "0.5Gi", 2))).toEqual({ kind: "unchanged" });
});

test("what a late news of the pod says is no wish any more", () => {
  expect(decide(pod("100m", "512Mi", 1), pod("1", "512Mi", 2))).toEqual({ kind: "unchanged" });
});

test("grants what the node and the other pods leave", () => {
  expect(decide(pod("1500m", "768Mi", 2))).toMatchObject({
    kind: "allocate",
    allocation: {
      generation: 2,
      containers: { a: { requests: { cpu: "1500m", memory: "768Mi" } } },
    },
  });
});

test.each([
  ["more than the node has", pod("1000", "512Mi", 2), "capacity: cpu, requested: 1000000, capacity: 2000"],
  ["memory, too", pod("1", "2Gi", 2), "capacity: memory, requested: 2147483648, capacity: 1073741824"],
])("never grants %s", (_, wanted, lack) => {
  expect(decide(wanted)).toEqual({
    kind: "pending",
    pending: { reason: "Infeasible", message: `Node didn't have enough ${lack}` },
  });
});

test("does not grant now what other pods hold", () => {
  const message = "Node didn't have enough resource: cpu, requested: 1600, used: 500, capacity: 2000";
  expect(decide(pod("1600m", "512Mi", 2))).toEqual({
    kind: "pending",
    pending: { reason: "Deferred", message },
  });
});

test("grants what does not grow, however full the node is", () => {
  const full = new Map([["cpu", 10_000n]]);
  expect(decide(pod("500m", "600Mi", 2), pod("1", "512Mi"), full).kind).toBe("allocate");
});
