import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestNode, testNode } from "../helpers/peapod.ts";
import { hasCondition, type PodAPI, podAPI, shell, statusOf } from "../helpers/pods.ts";

let node: TestNode;
let api: PodAPI;
beforeAll(async () => {
  node = await testNode();
  api = podAPI(node);
});
afterAll(() => node?.close());

const works = (name: string) => ({ name, command: ["true"] });
const fails = (name: string) => ({ name, command: ["false"] });
const stays = (name: string) => ({ name, command: shell("exec sleep 600") });

describe("InitContainer", () => {
  test("should invoke init containers on a RestartNever pod", async () => {
    await api.create("init-never", {
      restartPolicy: "Never",
      initContainers: [works("init1"), works("init2")],
      containers: [{ name: "run1", command: ["true"] }],
    });
    const pod = await api.until("init-never", "the end", (one) =>
      one.status?.phase === "Succeeded" ? one : undefined,
    );
    expect(hasCondition(pod, "Initialized")).toBe(true);
    for (const name of ["init1", "init2"]) {
      expect(statusOf(pod, name)).toMatchObject({ ready: true, state: { terminated: { exitCode: 0 } } });
    }
  });

  test("should invoke init containers on a RestartAlways pod", async () => {
    await api.create("init-always", {
      initContainers: [works("init1"), works("init2")],
      containers: [stays("run1")],
    });
    const pod = await api.until("init-always", "running", (one) =>
      one.status?.phase === "Running" ? one : undefined,
    );
    expect(hasCondition(pod, "Initialized")).toBe(true);
    const end = (name: string) => Date.parse(statusOf(pod, name)?.state?.terminated?.finishedAt ?? "");
    expect(end("init1")).toBeLessThanOrEqual(end("init2"));
    expect(statusOf(pod, "init1")?.ready && statusOf(pod, "init2")?.ready).toBe(true);
  });

  test("should not start app containers if init containers fail on a RestartAlways pod", async () => {
    const name = "init-fails-always";
    await api.create(name, {
      initContainers: [fails("init1"), works("init2")],
      containers: [stays("run1")],
    });
    const pod = await api.until(
      name,
      "three attempts",
      (one) => ((statusOf(one, "init1")?.restartCount ?? 0) >= 2 ? one : undefined),
      60,
    );
    expect(pod.status?.phase).toBe("Pending");
    expect(statusOf(pod, "init2")?.state?.waiting?.reason).toBe("PodInitializing");
    expect(statusOf(pod, "run1")?.state?.waiting?.reason).toBe("PodInitializing");
    expect(pod.status?.conditions?.find(({ type }) => type === "Initialized")).toMatchObject({
      status: "False",
      reason: "ContainersNotInitialized",
      message: "containers with incomplete status: [init1 init2]",
    });
  });

  test("should not start app containers and fail the pod if init containers fail on a RestartNever pod", async () => {
    const name = "init-fails-never";
    await api.create(name, {
      restartPolicy: "Never",
      initContainers: [works("init1"), fails("init2")],
      containers: [stays("run1")],
    });
    const pod = await api.until(name, "the end", (one) => (one.status?.phase === "Failed" ? one : undefined));
    expect(statusOf(pod, "init1")?.state?.terminated?.exitCode).toBe(0);
    expect(statusOf(pod, "init2")?.state?.terminated?.exitCode).toBe(1);
    expect(statusOf(pod, "run1")?.state?.waiting?.reason).toBe("PodInitializing");
    expect((await api.events(name)).some(({ message }) => message?.includes("container run1"))).toBe(false);
  });
});

describe("restart rules of single containers", () => {
  test("an exit code that a rule names restarts the container under restartPolicy Never", async () => {
    await api.create("rules", {
      restartPolicy: "Never",
      containers: [
        {
          name: "main",
          command: shell("test -e /data/once && exit 7; touch /data/once; exit 42"),
          volumeMounts: [{ name: "data", mountPath: "/data" }],
          restartPolicy: "Never",
          restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }],
        },
      ],
      volumes: [{ name: "data", emptyDir: {} }],
    });
    const pod = await api.until("rules", "the end", (one) =>
      one.status?.phase === "Failed" ? one : undefined,
    );
    expect(statusOf(pod, "main")).toMatchObject({
      restartCount: 1,
      state: { terminated: { exitCode: 7 } },
      lastState: { terminated: { exitCode: 42 } },
    });
  });

  test("a container's own policy goes before the pod's", async () => {
    await api.create("own-policy", {
      containers: [
        { ...works("once"), restartPolicy: "Never" },
        { ...works("twice"), restartPolicy: "OnFailure" },
      ],
    });
    await api.until("own-policy", "the end", (pod) => pod.status?.phase === "Succeeded" || undefined);
  });
});
