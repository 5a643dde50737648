import { describe, expect, test } from "vitest";
import { podCgroupAmounts } from "../../kube/cgroup-amounts.ts";
import type { ContainerResources } from "../../kube/pod-allocation.ts";
import type { Container, StoredPod } from "../../kube/types.ts";
import type { ContainerRecord } from "../../runtime/types.ts";
import { containerRecord } from "../fake-records.ts";
import { planResize } from "./plan-resize.ts";

const MiB = 2 ** 20;

/** A container's requests and limits, which are the same: `200m` of cpu, `64` MiB of memory. */
function amounts(cpu: string, mebibytes: number): ContainerResources {
  const list = { cpu, memory: `${mebibytes}Mi` };
  return { limits: list, requests: list };
}

function pod(containers: Record<string, ContainerResources>, parts: Partial<Container> = {}): StoredPod {
  const list = Object.entries(containers).map(([name, resources]) => ({ name, resources, ...parts }));
  return { metadata: {}, spec: { containers: list } } as unknown as StoredPod;
}

/** Plans a resize of running containers from `before` to `after`, and says it shortly. */
function plan(
  before: Record<string, ContainerResources>,
  after: StoredPod,
  inUse: Record<string, number> = {},
  record: Partial<ContainerRecord> = {},
) {
  const records = Object.entries(before).map(([name, resources]) =>
    containerRecord({ id: name, name, resources, cgroup: name, ...record }),
  );
  const { steps, restart, problem } = planResize(after, {
    records,
    cgroup: "pod",
    applied: podCgroupAmounts(pod(before)),
    memoryInUse: (cgroup) => inUse[cgroup],
  });
  const said = steps.map((step) => {
    if (step.kind === "container") {
      const { cpu, memory } = step.resources.limits ?? {};
      return `${step.record.name} ${cpu} ${memory}`;
    }
    return `pod ${Object.entries(step.amounts)
      .map(([name, value]) => `${name}=${name === "memoryLimit" ? `${value / MiB}Mi` : value}`)
      .join(" ")}`;
  });
  return { steps: said, restart: [...restart], problem };
}

describe("order", () => {
  test("nothing to do", () => {
    const same = { a: amounts("100m", 64) };
    expect(plan(same, pod({ a: amounts("0.1", 64) }))).toEqual({
      steps: [],
      restart: [],
      problem: undefined,
    });
  });

  test("growing: the pod first", () => {
    expect(plan({ a: amounts("100m", 64) }, pod({ a: amounts("200m", 128) })).steps).toEqual([
      "pod memoryLimit=128Mi",
      "a 100m 128Mi",
      "pod cpuQuota=20000 cpuShares=204",
      "a 200m 128Mi",
    ]);
  });

  test("shrinking: the pod last", () => {
    expect(plan({ a: amounts("200m", 128) }, pod({ a: amounts("100m", 64) })).steps).toEqual([
      "a 200m 64Mi",
      "pod memoryLimit=64Mi",
      "a 100m 64Mi",
      "pod cpuQuota=10000 cpuShares=102",
    ]);
  });

  test("containers that give back come before those that take", () => {
    const before = { a: amounts("100m", 64), b: amounts("100m", 128) };
    const after = pod({ a: amounts("100m", 96), b: amounts("100m", 64) });
    expect(plan(before, after).steps).toEqual(["b 100m 64Mi", "a 100m 96Mi", "pod memoryLimit=160Mi"]);
  });

  test("a first limit is something given back", () => {
    const before = { a: { requests: { memory: "32Mi", cpu: "100m" }, limits: { cpu: "200m" } } };
    const after = pod({ a: { ...before.a, limits: { cpu: "200m", memory: "64Mi" } } });
    expect(plan(before, after).steps).toEqual(["a 200m 64Mi", "pod memoryLimit=64Mi"]);
  });
});

describe("what does not run", () => {
  test("gets its amounts when it starts, and the pod's cgroup at once", () => {
    const before = { a: amounts("100m", 64) };
    const after = pod({ a: amounts("100m", 128) });
    expect(plan(before, after, {}, { phase: "Exited" }).steps).toEqual(["pod memoryLimit=128Mi"]);
  });

  test("is resized when it was created but has not begun", () => {
    const policy = [{ resourceName: "memory", restartPolicy: "RestartContainer" }];
    const after = pod({ a: amounts("100m", 128) }, { resizePolicy: policy });
    expect(plan({ a: amounts("100m", 64) }, after, {}, { phase: "Created" })).toMatchObject({
      steps: ["pod memoryLimit=128Mi", "a 100m 128Mi"],
      restart: [],
    });
  });
});

describe("containers that must be restarted", () => {
  const resizePolicy = [
    { resourceName: "cpu", restartPolicy: "NotRequired" },
    { resourceName: "memory", restartPolicy: "RestartContainer" },
  ];
  const before = { a: amounts("100m", 64) };

  test("only for the resource that says so", () => {
    expect(plan(before, pod({ a: amounts("200m", 64) }, { resizePolicy })).restart).toEqual([]);
    expect(plan(before, pod({ a: amounts("200m", 65) }, { resizePolicy })).restart).toEqual(["a"]);
  });

  test("find their pod grown already", () => {
    expect(plan(before, pod({ a: amounts("100m", 128) }, { resizePolicy }))).toMatchObject({
      steps: ["pod memoryLimit=128Mi"],
      restart: ["a"],
    });
  });

  test("keep their pod as large as it is until they have ended", () => {
    const after = pod({ a: amounts("50m", 32) }, { resizePolicy });
    expect(plan(before, after, { a: 60 * MiB, pod: 60 * MiB })).toEqual({
      steps: [],
      restart: ["a"],
      problem: undefined,
    });
    expect(plan(before, after, {}, { phase: "Exited" }).steps).toEqual([
      "pod memoryLimit=32Mi",
      "pod cpuQuota=5000 cpuShares=51",
    ]);
  });
});

describe("memory in use", () => {
  test("is not taken away", () => {
    const before = { a: amounts("100m", 64) };
    const problem = `cannot decrease memory limits: attempting to set container "a" memory limit (${32 * MiB}) below current usage (${40 * MiB})`;
    expect(plan(before, pod({ a: amounts("200m", 32) }), { a: 40 * MiB })).toEqual({
      steps: [],
      restart: [],
      problem,
    });
    expect(plan(before, pod({ a: amounts("100m", 32) }), { a: 30 * MiB }).problem).toBeUndefined();
  });

  test("of the pod and all its containers is said", () => {
    const before = { a: amounts("100m", 64), b: amounts("100m", 64) };
    const after = pod({ a: amounts("100m", 32), b: amounts("100m", 32) });
    const { problem } = plan(before, after, { a: 40 * MiB, b: 50 * MiB, pod: 90 * MiB });
    expect(problem).toMatch(
      /^cannot decrease memory limits: \[attempting to set pod memory limit .*"a".*"b".*\]$/,
    );
  });
});

test("sidecars are resized, other init containers never", () => {
  const init = (name: string, more: Partial<Container>) => ({ name, resources: amounts("1", 128), ...more });
  const after = pod({ a: amounts("100m", 64) });
  after.spec.initContainers = [init("once", {}), init("sidecar", { restartPolicy: "Always" })];
  const before = { a: amounts("100m", 64), once: amounts("2", 64), sidecar: amounts("1", 64) };
  expect(plan(before, after).steps.filter((step) => !step.startsWith("pod"))).toEqual(["sidecar 1 128Mi"]);
});
