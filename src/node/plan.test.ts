import { describe, expect, test } from "vitest";
import type { Container, PodSpec } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import { containerRecord } from "./fake-records.ts";
import { type Hold, type PodObservation, planPod } from "./plan.ts";

const now = 100_000;
const sandboxCreatedAt = 50_000;

function container(name: string): Container {
  return { name, image: "alpine" };
}

function spec(parts: Partial<PodSpec> = {}): PodSpec {
  return { containers: [container("a"), container("b")], ...parts };
}

function observed(records: ContainerRecord[] = [], parts: Partial<PodObservation> = {}): PodObservation {
  return { sandboxCreatedAt, records, starting: new Set(), holds: new Map(), ...parts };
}

function record(name: string, parts: Partial<ContainerRecord> = {}): ContainerRecord {
  return containerRecord({ name, createdAt: 60_000, ...parts });
}

const exited = (name: string, exitCode: number, parts: Partial<ContainerRecord> = {}) =>
  record(name, { phase: "Exited", exitCode, finishedAt: 90_000, ...parts });

function summary(podSpec: PodSpec, observation: PodObservation) {
  const plan = planPod(podSpec, observation, now);
  return {
    sandbox: plan.createSandbox,
    start: plan.start.map((action) => `${action.kind} ${action.container.name} ${action.attempt}`),
    holding: [...plan.holding.keys()],
    finished: plan.finished,
  };
}

type RestartPolicy = NonNullable<PodSpec["restartPolicy"]>;

const idle = { sandbox: false, start: [], holding: [], finished: undefined };

describe("a pod without init containers", () => {
  test("needs a sandbox and all containers at first", () => {
    expect(summary(spec(), observed([], { sandboxCreatedAt: undefined }))).toEqual({
      ...idle,
      sandbox: true,
      start: ["app a 0", "app b 0"],
    });
  });

  test("needs nothing while all run", () => {
    expect(summary(spec(), observed([record("a"), record("b")]))).toEqual(idle);
  });

  test("does not start twice what is being started", () => {
    const observation = observed([], { starting: new Set(["a"]) });
    expect(summary(spec(), observation).start).toEqual(["app b 0"]);
  });

  test.each<[RestartPolicy, number, string[], undefined]>([
    ["Always", 0, ["app a 1"], undefined],
    ["Always", 1, ["app a 1"], undefined],
    ["OnFailure", 0, [], undefined],
    ["OnFailure", 1, ["app a 1"], undefined],
    ["Never", 1, [], undefined],
  ])("restartPolicy %s after exit code %i while b runs", (restartPolicy, exitCode, start, finished) => {
    const observation = observed([exited("a", exitCode), record("b")]);
    expect(summary(spec({ restartPolicy }), observation)).toEqual({ ...idle, start, finished });
  });

  test.each<[RestartPolicy, number, number, string | undefined]>([
    ["Never", 0, 0, "Succeeded"],
    ["Never", 0, 3, "Failed"],
    ["OnFailure", 0, 0, "Succeeded"],
    ["OnFailure", 0, 3, undefined],
    ["Always", 0, 0, undefined],
  ])("restartPolicy %s with exit codes %i and %i ends as %s", (restartPolicy, a, b, finished) => {
    const observation = observed([exited("a", a), exited("b", b)]);
    expect(summary(spec({ restartPolicy }), observation).finished).toBe(finished);
  });

  test("counts attempts on from the newest instance", () => {
    const observation = observed([
      exited("a", 1, { attempt: 4 }),
      exited("a", 1, { attempt: 3 }),
      record("b"),
    ]);
    expect(summary(spec(), observation).start).toEqual(["app a 5"]);
  });

  test("holds a container until its back-off ends and says when to look again", () => {
    const hold: Hold = { until: now + 10_000, reason: "CrashLoopBackOff", message: "back-off 10s" };
    const observation = observed([exited("a", 1), record("b")], { holds: new Map([["a", hold]]) });
    const plan = planPod(spec(), observation, now);
    expect(plan.start).toEqual([]);
    expect(plan.holding.get("a")).toBe(hold);
    expect(plan.wakeAt).toBe(hold.until);
    expect(planPod(spec(), observation, hold.until).start).toHaveLength(1);
  });
});

describe("a pod with init containers", () => {
  const withInit = (restartPolicy: RestartPolicy = "Always") =>
    spec({ restartPolicy, initContainers: [container("i1"), container("i2")] });

  test.each([
    ["nothing has run", [], ["init i1 0"]],
    ["the first one runs", [record("i1")], []],
    ["the first one succeeded", [exited("i1", 0)], ["init i2 0"]],
    ["the first one failed", [exited("i1", 1)], ["init i1 1"]],
    ["all succeeded", [exited("i1", 0), exited("i2", 0)], ["app a 0", "app b 0"]],
  ])("%s", (_case, records, start) => {
    expect(summary(withInit(), observed(records))).toEqual({ ...idle, start });
  });

  test("fails for good when an init container fails under restartPolicy Never", () => {
    expect(summary(withInit("Never"), observed([exited("i1", 1)]))).toEqual({ ...idle, finished: "Failed" });
  });

  test("runs init containers again in a new sandbox", () => {
    const old = { createdAt: sandboxCreatedAt - 1 };
    const records = [
      exited("i1", 0, old),
      exited("i2", 0, old),
      exited("a", 255, old),
      exited("b", 255, old),
    ];
    expect(summary(withInit(), observed(records))).toEqual({ ...idle, start: ["init i1 1"] });
  });
});

test("a finished pod gets no new sandbox after a reboot", () => {
  const records = [exited("a", 0), exited("b", 0)];
  const observation = observed(records, { sandboxCreatedAt: undefined });
  expect(summary(spec({ restartPolicy: "Never" }), observation)).toEqual({ ...idle, finished: "Succeeded" });
});
