import { describe, expect, test } from "vitest";
import { allocationFor } from "../../kube/pod-allocation.ts";
import type { PodSpec, StoredPod } from "../../kube/types.ts";
import type { ContainerRecord } from "../../runtime/types.ts";
import { containerRecord } from "../fake-records.ts";
import { type PodStatusParts, podStatus } from "./pod-status.ts";

const now = Date.parse("2026-01-02T03:04:05Z");

function pod(spec: Partial<PodSpec> = {}, status?: StoredPod["status"]): StoredPod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "pod",
      namespace: "default",
      uid: "uid",
      resourceVersion: "1",
      creationTimestamp: "2026-01-02T03:04:00Z",
      generation: 1,
    },
    spec: { containers: [{ name: "a", image: "alpine" }], restartPolicy: "Always", ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

function status(records: ContainerRecord[], parts: Partial<PodStatusParts> = {}) {
  const one = parts.pod ?? pod();
  return podStatus({
    pod: one,
    generation: one.metadata.generation ?? 1,
    allocation: allocationFor(one),
    resize: undefined,
    records,
    waiting: new Map(),
    health: ({ phase }) => ({ started: phase === "Running", ready: phase === "Running" }),
    inHook: new Set(),
    restarting: new Set(),
    sandboxReady: true,
    podIPs: ["10.244.0.2"],
    hostIPs: ["192.0.2.1"],
    ended: undefined,
    terminating: false,
    terminated: false,
    now,
    ...parts,
  });
}

const condition = (result: ReturnType<typeof status>, type: string) =>
  result.conditions?.find((candidate) => candidate.type === type);

const exited = (exitCode: number, parts: Partial<ContainerRecord> = {}) =>
  containerRecord({ phase: "Exited", exitCode, startedAt: now - 2_000, finishedAt: now - 1_000, ...parts });

describe("phase", () => {
  test.each<[string, NonNullable<PodSpec["restartPolicy"]>, ContainerRecord[], string]>([
    ["no container yet", "Always", [], "Pending"],
    ["running", "Always", [containerRecord({})], "Running"],
    ["exited 0 under Always", "Always", [exited(0)], "Running"],
    ["exited 0 under Never", "Never", [exited(0)], "Succeeded"],
    ["exited 1 under Never", "Never", [exited(1)], "Failed"],
    ["exited 0 under OnFailure", "OnFailure", [exited(0)], "Succeeded"],
    ["exited 1 under OnFailure", "OnFailure", [exited(1)], "Running"],
  ])("%s", (_case, restartPolicy, records, phase) => {
    expect(status(records, { pod: pod({ restartPolicy }) }).phase).toBe(phase);
  });

  test("an ended pod never comes back", () => {
    const ended = pod({}, { phase: "Failed" });
    expect(status([containerRecord({})], { pod: ended }).phase).toBe("Failed");
  });

  test("a deleted pod whose containers stopped has ended", () => {
    expect(status([exited(0)], { terminating: true }).phase).toBe("Succeeded");
    expect(status([exited(143)], { terminating: true }).phase).toBe("Failed");
  });
});

describe("container states", () => {
  test("a container in its back-off waits, and its end is the last state", () => {
    const waiting = new Map([["a", { reason: "CrashLoopBackOff", message: "back-off 10s" }]]);
    const [container] = status([exited(7, { attempt: 2 })], { waiting }).containerStatuses ?? [];
    expect(container).toMatchObject({
      ready: false,
      started: false,
      restartCount: 2,
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
      lastState: { terminated: { exitCode: 7, reason: "Error", finishedAt: "2026-01-02T03:04:04Z" } },
    });
  });

  test("a restarted container shows how the one before ended", () => {
    const records = [exited(137, { reason: "OOMKilled" }), containerRecord({ attempt: 1 })];
    const [container] = status(records).containerStatuses ?? [];
    expect(container).toMatchObject({
      ready: true,
      restartCount: 1,
      state: { running: {} },
      lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    });
  });

  test("app containers say PodInitializing until the init containers are done", () => {
    const withInit = pod({ initContainers: [{ name: "i", image: "alpine" }] });
    const reason = (records: ContainerRecord[]) =>
      status(records, { pod: withInit }).containerStatuses?.[0]?.state?.waiting?.reason;
    expect(reason([])).toBe("PodInitializing");
    expect(reason([exited(0, { name: "i" })])).toBe("ContainerCreating");
  });
});

describe("a pod that is deleted", () => {
  const over = { terminating: true, terminated: true };

  test("has failed when it has not ended otherwise, and tells of containers that never ran", () => {
    const result = status([], over);
    expect(result.phase).toBe("Failed");
    expect(result.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 137,
      reason: "ContainerStatusUnknown",
    });
    expect(status([exited(0)], over).phase).toBe("Succeeded");
  });

  test("keeps the last word of containers of which nothing is left", () => {
    const last = status([exited(3)], over);
    expect(status([], { ...over, pod: pod({}, last), sandboxReady: false })).toEqual(last);
  });
});

test("what is observed is what the node has worked on, not what came since", () => {
  const observed = status([containerRecord({})], { generation: 0 });
  expect(observed.observedGeneration).toBe(0);
  expect(condition(observed, "Ready")?.observedGeneration).toBe(0);
});

describe("conditions", () => {
  test("a running pod is ready", () => {
    expect(condition(status([containerRecord({})]), "Ready")).toMatchObject({ status: "True" });
  });

  test("unready containers are named", () => {
    const result = status([]);
    expect(condition(result, "Ready")).toMatchObject({
      status: "False",
      reason: "ContainersNotReady",
      message: "containers with unready status: [a]",
    });
    expect(condition(result, "PodScheduled")?.status).toBe("True");
  });

  test("a condition keeps its transition time while its status stays", () => {
    const first = status([containerRecord({})]);
    const later = status([containerRecord({})], { pod: pod({}, first), now: now + 60_000 });
    expect(condition(later, "Ready")?.lastTransitionTime).toBe("2026-01-02T03:04:05Z");
    const broken = status([], { pod: pod({}, first), now: now + 60_000 });
    expect(condition(broken, "Ready")?.lastTransitionTime).toBe("2026-01-02T03:05:05Z");
  });
});
