import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PodSpec } from "../../src/kube/types.ts";
import { type TestNode, testNode } from "../helpers/peapod.ts";
import { type PodAPI, podAPI, shell, statusOf } from "../helpers/pods.ts";

let node: TestNode;
let api: PodAPI;
beforeAll(async () => {
  node = await testNode();
  api = podAPI(node);
});
afterAll(() => node?.close());

describe("starting a container that exits", () => {
  test.each<[string, NonNullable<PodSpec["restartPolicy"]>, string, number]>([
    ["terminate-cmd-rpa", "Always", "Running", 2],
    ["terminate-cmd-rpof", "OnFailure", "Succeeded", 1],
    ["terminate-cmd-rpn", "Never", "Failed", 0],
  ])("should run with the expected status: %s", async (name, restartPolicy, phase, restartCount) => {
    // Fails the first time; under Always succeeds the second time and stays the third time.
    const script = `
      count=$(cat /data/count 2>/dev/null || echo 0); echo $((count + 1)) > /data/count
      case $count in 0) exit 1 ;; 1) exit 0 ;; *) exec sleep 600 ;; esac`;
    await api.create(name, {
      restartPolicy,
      volumes: [{ name: "data", emptyDir: {} }],
      containers: [
        { name: "main", command: shell(script), volumeMounts: [{ name: "data", mountPath: "/data" }] },
      ],
    });
    const pod = await api.until(name, phase, (one) => {
      const status = statusOf(one, "main");
      const isThere = one.status?.phase === phase && status?.restartCount === restartCount;
      return isThere && (phase !== "Running" || status.state?.running) ? one : undefined;
    });
    const status = statusOf(pod, "main");
    expect(status?.ready).toBe(phase === "Running");
    if (phase === "Failed") expect(status?.state?.terminated).toMatchObject({ exitCode: 1, reason: "Error" });
    if (phase === "Succeeded") {
      expect(status?.state?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
    }
  });
});

test("a container that keeps failing is in CrashLoopBackOff", async () => {
  await api.create("crashing", { containers: [{ name: "main", command: ["false"] }] });
  const status = await api.until("crashing", "CrashLoopBackOff", (pod) => {
    const main = statusOf(pod, "main");
    return main?.state?.waiting?.reason === "CrashLoopBackOff" ? main : undefined;
  });
  const { uid } = (await api.get("crashing")).metadata;
  expect(status.state?.waiting?.message).toBe(
    `back-off 10s restarting failed container=main pod=crashing_default(${uid})`,
  );
  expect(status.lastState?.terminated).toMatchObject({ exitCode: 1, reason: "Error" });
  await api.event(
    "crashing",
    "BackOff",
    `Back-off restarting failed container main in pod crashing_default(${uid})`,
  );
});

test("a container that must not run as root and would is not created", async () => {
  await api.create("no-root", {
    containers: [{ name: "main", command: ["true"], securityContext: { runAsNonRoot: true } }],
  });
  const waiting = await api.until("no-root", "an error", (pod) => {
    const state = statusOf(pod, "main")?.state?.waiting;
    return state?.message === undefined ? undefined : state;
  });
  const { uid } = (await api.get("no-root")).metadata;
  expect(waiting).toEqual({
    reason: "CreateContainerConfigError",
    message: `container has runAsNonRoot and image will run as root (pod: "no-root_default(${uid})", container: main)`,
  });
  await api.event("no-root", "Failed", "Error: container has runAsNonRoot and image will run as root");
});

describe("Pods", () => {
  test("should allow activeDeadlineSeconds to be updated", async () => {
    const name = "deadline";
    await api.create(name, {
      activeDeadlineSeconds: 600,
      containers: [{ name: "main", command: shell("exec sleep 600") }],
    });
    await api.until(name, "running", (pod) => statusOf(pod, "main")?.state?.running);
    await api.patch(name, { spec: { activeDeadlineSeconds: 1 } });
    const pod = await api.until(name, "the end", (one) => (one.status?.phase === "Failed" ? one : undefined));
    expect(pod.status).toMatchObject({
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    });
    expect(statusOf(pod, "main")?.state?.terminated).toBeDefined();
    const event = await api.event(name, "DeadlineExceeded");
    expect(event.type).toBe("Normal");
  });

  test("another image starts the container anew, whatever the restart policy", async () => {
    const name = "new-image";
    await api.create(name, {
      restartPolicy: "Never",
      containers: [{ name: "main", command: shell("exec sleep 600") }],
    });
    await api.until(name, "running", (pod) => statusOf(pod, "main")?.state?.running);
    const image = "peapod.dev/host:latest";
    await api.patch(name, { spec: { containers: [{ name: "main", image }] } });
    const event = await api.event(name, "Killing");
    expect(event.message).toBe("Container main definition changed, will be restarted");
    const pod = await api.until(name, "a restart", (one) =>
      statusOf(one, "main")?.restartCount === 1 ? one : undefined,
    );
    expect(pod.status?.phase).not.toBe("Failed");
    expect(pod.status?.observedGeneration).toBe(2);
  });
});
