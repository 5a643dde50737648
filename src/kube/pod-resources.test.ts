import { expect, test } from "vitest";
import { isLimited, podAmounts } from "./pod-resources.ts";
import type { Container, PodSpec } from "./types.ts";

const container = (cpu: string, restartPolicy?: string): Container =>
  ({
    name: "c",
    resources: { requests: { cpu }, limits: { cpu, memory: "1Mi" } },
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
  }) as Container;

const cpu = (spec: Partial<PodSpec>) => podAmounts({ containers: [], ...spec }, "requests").get("cpu");

test("containers add up", () => {
  expect(cpu({ containers: [container("1"), container("250m")] })).toBe(1250n);
});

test("an init container counts where it is larger", () => {
  expect(cpu({ containers: [container("1")], initContainers: [container("3"), container("2")] })).toBe(3000n);
  expect(cpu({ containers: [container("4")], initContainers: [container("3")] })).toBe(4000n);
});

test("a sidecar counts beside the init containers after it and beside the containers", () => {
  const initContainers = [container("5"), container("2", "Always"), container("4")];
  expect(cpu({ containers: [container("1")], initContainers })).toBe(6000n);
  expect(cpu({ containers: [container("9")], initContainers })).toBe(11000n);
});

test("what the pod says itself goes first, and overhead comes on top", () => {
  const containers = [container("1")];
  expect(cpu({ containers, resources: { requests: { cpu: "3" } } })).toBe(3000n);
  expect(cpu({ containers, overhead: { cpu: "100m" } })).toBe(1100n);
  expect(podAmounts({ containers, resources: { limits: { memory: "8Mi" } } }, "limits").get("memory")).toBe(
    8_388_608n,
  );
});

test("limited is what every container limits, or the pod", () => {
  const unlimited: Container = { name: "u" };
  expect(isLimited({ containers: [container("1")] }, "memory")).toBe(true);
  expect(isLimited({ containers: [container("1"), unlimited] }, "memory")).toBe(false);
  expect(isLimited({ containers: [unlimited], resources: { limits: { memory: "1Mi" } } }, "memory")).toBe(
    true,
  );
});
