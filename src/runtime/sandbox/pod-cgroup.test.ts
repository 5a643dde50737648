import { expect, test } from "vitest";
import type { Container, StoredPod } from "../../kube/types.ts";
import { podCgroupSettings } from "./pod-cgroup.ts";

type List = Record<string, string>;

function files(mode: "unified" | "hybrid", containers: { requests?: List; limits?: List }[], own?: object) {
  const pod = {
    spec: {
      containers: containers.map((resources, index): Container => ({ name: `c${index}`, resources })),
      ...(own === undefined ? {} : { resources: own }),
    },
  } as unknown as StoredPod;
  return Object.fromEntries(podCgroupSettings(pod, mode).map(({ file, value }) => [file, value]));
}

const full = { requests: { cpu: "500m", memory: "1Mi" }, limits: { cpu: "1", memory: "2Mi" } };

test("nothing asked for: the least shares", () => {
  expect(files("hybrid", [{}])).toEqual({ "cpu.shares": "2" });
  expect(files("unified", [{}])).toEqual({ "cpu.weight": "1" });
});

test("every container limited: sums of requests and limits", () => {
  expect(files("hybrid", [full, full])).toEqual({
    "cpu.shares": "1024",
    "cpu.cfs_period_us": "100000",
    "cpu.cfs_quota_us": "200000",
    "memory.limit_in_bytes": "4194304",
  });
  expect(files("unified", [full, full])).toEqual({
    "cpu.weight": "39",
    "cpu.max": "200000 100000",
    "memory.max": "4194304",
  });
});

test("one container without limits: none for the pod", () => {
  expect(files("hybrid", [full, { requests: { cpu: "1" } }])).toEqual({ "cpu.shares": "1536" });
});

test("the pod's own limits", () => {
  expect(files("unified", [{}], { requests: { cpu: "2" }, limits: { cpu: "2", memory: "1Gi" } })).toEqual({
    "cpu.weight": "79",
    "cpu.max": "200000 100000",
    "memory.max": "1073741824",
  });
});

test("huge pages", () => {
  const limits = { cpu: "1", memory: "1Mi", "hugepages-2Mi": "4Mi" };
  expect(files("unified", [{ requests: limits, limits }])).toMatchObject({ "hugetlb.2MB.max": "4194304" });
  expect(files("hybrid", [{ requests: limits, limits }])).toMatchObject({
    "hugetlb.2MB.limit_in_bytes": "4194304",
  });
});
