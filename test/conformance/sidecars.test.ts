import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container } from "../../src/kube/types.ts";
import { type TestNode, testNode } from "../helpers/peapod.ts";
import { hasCondition, type PodAPI, podAPI, shell, statusOf } from "../helpers/pods.ts";

let node: TestNode;
let api: PodAPI;
beforeAll(async () => {
  node = await testNode();
  api = podAPI(node);
});
afterAll(() => node?.close());

const volumes = [{ name: "log", emptyDir: {} }];
const volumeMounts = [{ name: "log", mountPath: "/log" }];

/** Writes when it starts and stops into one file for all containers; ends at once on SIGTERM. */
const noted = (name: string, parts: Partial<Container> = {}): Container => ({
  name,
  command: shell(
    `trap 'echo stop ${name} >> /log/order; exit 0' TERM; echo start ${name} >> /log/order; while :; do sleep 0.05; done`,
  ),
  volumeMounts,
  ...parts,
});
/** Succeeds once the container has written that it starts. */
const noteOf = (name: string) => ({
  exec: { command: shell(`grep -q 'start ${name}' /log/order`) },
  periodSeconds: 1,
  failureThreshold: 60,
});
const sidecar = (name: string, parts: Partial<Container> = {}): Container => ({
  ...noted(name, parts),
  restartPolicy: "Always",
});

describe("sidecars", () => {
  test("start in order, each after the one before has started, and stop last, in reverse order", async () => {
    const name = "sidecar-order";
    // The first one lives longest, so its log holds all of the order.
    const keeper = sidecar("first", {
      command: shell(
        "trap 'echo stop first >> /log/order; cat /log/order; exit 0' TERM; echo start first >> /log/order; sleep 1; touch /log/up; while :; do sleep 0.05; done",
      ),
      startupProbe: { exec: { command: ["test", "-e", "/log/up"] }, periodSeconds: 1, failureThreshold: 30 },
    });
    const plain = { name: "plain", command: shell("echo plain >> /log/order"), volumeMounts };
    await api.create(name, {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 20,
      volumes,
      initContainers: [keeper, plain, sidecar("second", { startupProbe: noteOf("second") })],
      containers: [
        {
          name: "app",
          command: shell("echo app >> /log/order; sleep 1; echo app done >> /log/order"),
          volumeMounts,
        },
      ],
    });
    const pod = await api.until(name, "the end", (one) =>
      one.status?.phase === "Succeeded" ? one : undefined,
    );
    expect((await api.log(name, "first")).trim().split("\n")).toEqual([
      "start first",
      "plain",
      "start second",
      "app",
      "app done",
      "stop second",
      "stop first",
    ]);
    expect(statusOf(pod, "first")?.state?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
  });

  test("one that is killed comes back while the app goes on", async () => {
    const name = "sidecar-killed";
    await api.create(name, {
      volumes,
      initContainers: [sidecar("proxy", { startupProbe: noteOf("proxy") })],
      containers: [noted("app")],
    });
    await api.until(name, "ready", (pod) => hasCondition(pod, "Ready") || undefined);
    // The container may end before this does, and takes it along: its own exit code says nothing.
    await node.peapod(["exec", name, "-c", "proxy", "--", "sh", "-c", "kill -TERM 1"]);
    const pod = await api.until(name, "a restart", (one) => {
      const status = statusOf(one, "proxy");
      return status?.restartCount === 1 && status.state?.running ? one : undefined;
    });
    expect(statusOf(pod, "app")).toMatchObject({ ready: true, restartCount: 0 });
    expect(pod.status?.phase).toBe("Running");
  });

  test("one that does not start keeps the app from starting", async () => {
    const name = "sidecar-stuck";
    const startupProbe = { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 2 };
    await api.create(name, {
      volumes,
      initContainers: [sidecar("proxy", { startupProbe })],
      containers: [noted("app")],
    });
    await api.event(name, "Killing", "Init container proxy failed startup probe");
    const pod = await api.until(name, "a restart", (one) =>
      statusOf(one, "proxy")?.restartCount === 1 ? one : undefined,
    );
    expect(pod.status?.phase).toBe("Pending");
    expect(statusOf(pod, "app")?.state?.waiting?.reason).toBe("PodInitializing");
    await api.delete(name, 1);
  });

  test("their readiness counts for the pod's", async () => {
    const name = "sidecar-readiness";
    const readinessProbe = { exec: { command: ["test", "-e", "/log/ready"] }, periodSeconds: 1 };
    await api.create(name, {
      volumes,
      initContainers: [sidecar("proxy", { readinessProbe })],
      containers: [noted("app")],
    });
    const pod = await api.until(name, "app running", (one) =>
      statusOf(one, "app")?.ready ? one : undefined,
    );
    expect(pod.status?.conditions?.find(({ type }) => type === "Ready")?.message).toBe(
      "containers with unready status: [proxy]",
    );
    await node.ok(["exec", name, "-c", "app", "--", "touch", "/log/ready"]);
    await api.until(name, "ready", (one) => hasCondition(one, "Ready") || undefined);
  });

  test("on deletion they outlive the app, too", async () => {
    const name = "sidecar-deleted";
    const keeper = sidecar("first", {
      command: shell(
        "trap 'echo stop first >> /log/order; cat /log/order; exit 0' TERM; echo start first >> /log/order; while :; do sleep 0.05; done",
      ),
      startupProbe: noteOf("first"),
    });
    const slow = noted("app", {
      command: shell(
        "trap 'sleep 1; echo stop app >> /log/order; exit 0' TERM; echo start app >> /log/order; while :; do sleep 0.05; done",
      ),
      startupProbe: noteOf("app"),
    });
    await api.create(name, {
      terminationGracePeriodSeconds: 20,
      volumes,
      initContainers: [keeper, sidecar("second", { startupProbe: noteOf("second") })],
      containers: [slow],
    });
    await api.until(name, "ready", (pod) => hasCondition(pod, "Ready") || undefined);
    const log = await api.followLog(name, "first");
    await api.delete(name);
    expect((await log.all).trim().split("\n")).toEqual([
      "start first",
      "start second",
      "start app",
      "stop app",
      "stop second",
      "stop first",
    ]);
  });
});
