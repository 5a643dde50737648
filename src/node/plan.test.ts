import { describe, expect, test } from "vitest";
import type { Container, PodSpec } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import { containerRecord } from "./fake-records.ts";
import { planPod } from "./plan.ts";
import type { Hold, PodObservation } from "./plan-types.ts";

const now = 100_000;
const sandboxCreatedAt = 50_000;

function container(name: string): Container {
  return { name, image: "alpine" };
}

function spec(parts: Partial<PodSpec> = {}): PodSpec {
  return { containers: [container("a"), container("b")], ...parts };
}

function observed(records: ContainerRecord[] = [], parts: Partial<PodObservation> = {}): PodObservation {
  return {
    sandboxCreatedAt,
    startTime: sandboxCreatedAt,
    records,
    starting: new Set(),
    holds: new Map(),
    started: new Set(records.filter(({ phase }) => phase === "Running").map(({ id }) => id)),
    resized: new Set(),
    unhealthy: new Map(),
    restarting: new Set(),
    ...parts,
  };
}

function record(name: string, parts: Partial<ContainerRecord> = {}): ContainerRecord {
  return containerRecord({ id: `${name}-${parts.attempt ?? 0}`, name, createdAt: 60_000, ...parts });
}

const exited = (name: string, exitCode: number, parts: Partial<ContainerRecord> = {}) =>
  record(name, { phase: "Exited", exitCode, finishedAt: 90_000, ...parts });

function summary(podSpec: PodSpec, observation: PodObservation) {
  const plan = planPod(podSpec, observation, now);
  return {
    sandbox: plan.createSandbox,
    start: plan.start.map((action) => `${action.kind} ${action.container.name} ${action.attempt}`),
    stop: plan.stop.map((action) => action.message),
    holding: [...plan.holding.keys()],
    finished: plan.finished,
  };
}

type RestartPolicy = NonNullable<PodSpec["restartPolicy"]>;

const idle = { sandbox: false, start: [], stop: [], holding: [], finished: undefined };

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

describe("sidecars", () => {
  const sidecar = (name: string): Container => ({ ...container(name), restartPolicy: "Always" });
  const withSidecars = (restartPolicy: RestartPolicy = "Always") =>
    spec({ restartPolicy, initContainers: [sidecar("s1"), container("i"), sidecar("s2")] });
  const notStarted = { started: new Set<string>() };
  const [s1, s2] = [record("s1"), record("s2")];
  const apps = [record("a"), record("b")];

  test.each<[string, ContainerRecord[], Partial<PodObservation>, string[]]>([
    ["the first one is the beginning", [], {}, ["sidecar s1 0"]],
    ["the next one waits until it has started", [s1], notStarted, []],
    ["the next one waits for its postStart hook", [s1], { starting: new Set(["s1"]) }, []],
    ["it goes on beside it then", [s1], {}, ["init i 0"]],
    ["a plain one after it runs to completion", [s1, record("i")], {}, []],
    ["the last one gates the app containers", [s1, exited("i", 0), s2], { started: new Set(["s1-0"]) }, []],
    ["all are started", [s1, exited("i", 0), s2], {}, ["app a 0", "app b 0"]],
    ["one that ends early is started again", [exited("s1", 0)], {}, ["sidecar s1 1"]],
    ["also behind the plain one", [exited("s1", 0), record("i")], {}, ["sidecar s1 1"]],
    ["also while the app runs", [exited("s1", 9), exited("i", 0), s2, ...apps], {}, ["sidecar s1 1"]],
  ])("%s", (_case, records, parts, start) => {
    expect(summary(withSidecars(), observed(records, parts))).toEqual({ ...idle, start });
  });

  test("they don't keep a pod from finishing and are not started again for it", () => {
    const ended = [exited("a", 0), exited("b", 0)];
    const never = withSidecars("Never");
    expect(summary(never, observed([s1, exited("i", 0), s2, ...ended])).finished).toBe("Succeeded");
    const gone = [exited("s1", 1), exited("i", 0), s2, ...ended];
    expect(summary(never, observed(gone))).toEqual({ ...idle, finished: "Succeeded" });
  });

  test("one that a probe gives up is stopped and comes back whatever the pod's policy", () => {
    const records = [s1, exited("i", 0), s2, ...apps];
    const parts = { unhealthy: new Map([["s1-0", "liveness" as const]]) };
    const plan = planPod(withSidecars("Never"), observed(records, parts), now);
    expect(plan.stop).toMatchObject([{ cause: "liveness", restart: true }]);
    expect(plan.stop[0]?.message).toBe("Init container s1 failed liveness probe, will be restarted");
  });
});

describe("restart rules of containers", () => {
  const rule = (operator: string, ...values: number[]) => ({
    action: "Restart",
    exitCodes: { operator, values },
  });
  test.each<[string, RestartPolicy, Partial<Container>, number, string[], string | undefined]>([
    ["own Always over Never", "Never", { restartPolicy: "Always" }, 0, ["app a 1"], undefined],
    ["own Never over Always", "Always", { restartPolicy: "Never" }, 1, [], "Failed"],
    ["own OnFailure, success", "Always", { restartPolicy: "OnFailure" }, 0, [], "Succeeded"],
    [
      "rule fits",
      "Never",
      { restartPolicy: "Never", restartPolicyRules: [rule("In", 42)] },
      42,
      ["app a 1"],
      undefined,
    ],
    [
      "rule does not fit",
      "Never",
      { restartPolicy: "Never", restartPolicyRules: [rule("In", 42)] },
      1,
      [],
      "Failed",
    ],
    [
      "NotIn fits",
      "Never",
      { restartPolicy: "Never", restartPolicyRules: [rule("NotIn", 1)] },
      2,
      ["app a 1"],
      undefined,
    ],
    [
      "NotIn does not fit",
      "Never",
      { restartPolicy: "Never", restartPolicyRules: [rule("NotIn", 1)] },
      1,
      [],
      "Failed",
    ],
  ])("%s", (_case, restartPolicy, parts, exitCode, start, finished) => {
    const one = spec({ restartPolicy, containers: [{ ...container("a"), ...parts }] });
    expect(summary(one, observed([exited("a", exitCode)]))).toEqual({ ...idle, start, finished });
  });

  test("an init container's own policy decides over the pod's", () => {
    const one = spec({
      restartPolicy: "Never",
      initContainers: [{ ...container("i"), restartPolicy: "OnFailure" }],
    });
    expect(summary(one, observed([exited("i", 1)])).start).toEqual(["init i 1"]);
  });
});

describe("probes and changes", () => {
  test.each<[RestartPolicy, "liveness" | "startup", string]>([
    ["Always", "liveness", "Container a failed liveness probe, will be restarted"],
    ["OnFailure", "startup", "Container a failed startup probe, will be restarted"],
    ["Never", "liveness", "Container a failed liveness probe"],
  ])("under restartPolicy %s a failed %s probe stops the container", (restartPolicy, kind, message) => {
    const records = [record("a"), record("b")];
    const observation = observed(records, { unhealthy: new Map([["a-0", kind]]) });
    expect(summary(spec({ restartPolicy }), observation)).toEqual({ ...idle, stop: [message] });
  });

  test("a container stopped to be restarted comes back even after exit code 0 under OnFailure", () => {
    const observation = observed([exited("a", 0), record("b")], { restarting: new Set(["a-0"]) });
    expect(summary(spec({ restartPolicy: "OnFailure" }), observation).start).toEqual(["app a 1"]);
  });

  test("another image stops the container so that it starts anew", () => {
    const records = [record("a", { imageReference: "busybox" }), record("b")];
    expect(summary(spec({ restartPolicy: "Never" }), observed(records)).stop).toEqual([
      "Container a definition changed, will be restarted",
    ]);
  });
});

describe("postStart hooks", () => {
  const hooked = { ...container("a"), lifecycle: { postStart: { exec: { command: ["true"] } } } };
  const pod = spec({ containers: [hooked, container("b")] });
  test.each<[string, ContainerRecord[], Partial<PodObservation>, string[]]>([
    ["holds back those after it", [], {}, ["app a 0"]],
    ["until it has returned", [record("a")], { starting: new Set(["a"]) }, []],
    ["which start then", [record("a")], {}, ["app b 0"]],
  ])("%s", (_case, records, parts, start) => {
    expect(summary(pod, observed(records, parts)).start).toEqual(start);
  });
});

describe("activeDeadlineSeconds", () => {
  const limited = spec({ activeDeadlineSeconds: 60 });
  const running = [record("a"), record("b")];

  test("asks to be looked at when it ends", () => {
    expect(planPod(limited, observed(running), now).wakeAt).toBe(sandboxCreatedAt + 60_000);
  });

  test("ends the pod when it has passed", () => {
    const plan = planPod(limited, observed(running), sandboxCreatedAt + 60_000);
    expect(plan.ended).toEqual({
      phase: "Failed",
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    });
    expect(plan.start).toEqual([]);
  });
});

test("ephemeral containers start once, beside everything, before the pod is initialized", () => {
  const pod = spec({ initContainers: [container("i")], ephemeralContainers: [container("debug")] });
  expect(summary(pod, observed([record("i")])).start).toEqual(["ephemeral debug 0"]);
  expect(summary(pod, observed([record("i"), exited("debug", 1)])).start).toEqual([]);
});
