import { expect, test } from "vitest";
import { cpuShares } from "../../kube/cgroup-amounts.ts";
import type { Container, StoredPod } from "../../kube/types.ts";
import { outOfMemoryScore } from "./out-of-memory-score.ts";
import { resources } from "./resources.ts";

const options = { privileged: false, cgroupMode: "hybrid", swapAccounting: false } as const;

function container(requests: Record<string, string>, limits: Record<string, string>): Container {
  return { name: "c", resources: { requests, limits } };
}

test.each([
  { requests: {}, limits: {}, expected: { cpu: { shares: 2 } } },
  { requests: { cpu: "250m" }, limits: {}, expected: { cpu: { shares: 256 } } },
  {
    requests: { cpu: "1" },
    limits: { cpu: "2" },
    expected: { cpu: { shares: 1024, quota: 200_000, period: 100_000 } },
  },
  {
    requests: {},
    limits: { cpu: "500m" },
    expected: { cpu: { shares: 512, quota: 50_000, period: 100_000 } },
  },
  { requests: {}, limits: { cpu: "1m" }, expected: { cpu: { shares: 2, quota: 1000, period: 100_000 } } },
  {
    requests: { memory: "1Gi" },
    limits: { memory: "64Mi" },
    expected: { cpu: { shares: 2 }, memory: { limit: 67_108_864 } },
  },
])("requests $requests, limits $limits", ({ requests, limits, expected }) => {
  const { devices, ...rest } = resources(container(requests, limits), options);
  expect(rest).toEqual(expected);
  expect(devices[0]).toEqual({ allow: false, access: "rwm" });
});

test("limits swap with memory where the kernel can, and kills as a whole with cgroup version 2", () => {
  const limited = container({}, { memory: "1Mi" });
  expect(resources(limited, { ...options, swapAccounting: true }).memory).toEqual({
    limit: 1_048_576,
    swap: 1_048_576,
  });
  expect(resources(limited, { ...options, cgroupMode: "unified" }).unified).toEqual({
    "memory.oom.group": "1",
  });
});

test("nothing may swap with cgroup version 2, with a limit and without", () => {
  const unlimited = container({}, {});
  expect(resources(unlimited, { ...options, cgroupMode: "unified", swapAccounting: true }).unified).toEqual({
    "memory.oom.group": "1",
    "memory.swap.max": "0",
  });
  expect(resources(unlimited, { ...options, swapAccounting: true }).unified).toBeUndefined();
});

test("a privileged container may open every device", () => {
  expect(resources(container({}, {}), { ...options, privileged: true }).devices).toEqual([
    { allow: true, access: "rwm" },
  ]);
});

test("cpu shares stay within the kernel's bounds", () => {
  expect(cpuShares(0n)).toBe(2n);
  expect(cpuShares(10_000_000n)).toBe(262_144n);
});

test.each([
  { name: "BestEffort", requests: {}, limits: {}, expected: 1000 },
  { name: "Guaranteed", requests: {}, limits: { cpu: "1", memory: "1Gi" }, expected: -997 },
  { name: "a quarter of the memory", requests: { memory: "1Gi" }, limits: {}, expected: 750 },
  { name: "nearly nothing", requests: { memory: "1" }, limits: {}, expected: 999 },
  { name: "everything", requests: { memory: "4Gi" }, limits: {}, expected: 3 },
  { name: "critical", requests: {}, limits: {}, priority: 2_000_001_000, expected: -997 },
])("out-of-memory score: $name", ({ requests, limits, priority, expected }) => {
  const one = container(requests, limits);
  // As the API server defaults it: requests are the limits where nothing is said.
  const defaulted = { ...one, resources: { limits, requests: { ...limits, ...requests } } };
  const spec = { containers: [defaulted], ...(priority === undefined ? {} : { priority }) };
  const pod = { metadata: { namespace: "n" }, spec } as unknown as StoredPod;
  expect(outOfMemoryScore(pod, defaulted, 4 * 2 ** 30, -1000)).toBe(expected);
  expect(outOfMemoryScore(pod, defaulted, 4 * 2 ** 30, 0)).toBe(Math.max(0, expected));
});
