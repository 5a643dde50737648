import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container } from "../../src/kube/types.ts";
import { type TestNode, testNode } from "../helpers/peapod.ts";
import { type PodAPI, podAPI, shell, statusOf } from "../helpers/pods.ts";

let node: TestNode;
let api: PodAPI;
beforeAll(async () => {
  node = await testNode();
  api = podAPI(node);
});
afterAll(() => node?.close());

async function messageOf(name: string, container: Partial<Container>): Promise<string | undefined> {
  await api.create(name, { restartPolicy: "Never", containers: [{ name: "main", ...container }] });
  const terminated = await api.until(name, "the end", (pod) => statusOf(pod, "main")?.state?.terminated);
  return terminated.message;
}

describe("on terminated container", () => {
  test("should report termination message if TerminationMessagePath is set as non-root user and at a non-default path", async () => {
    const message = await messageOf("message-path", {
      command: shell("echo -n DONE > /dev/termination-custom-log"),
      terminationMessagePath: "/dev/termination-custom-log",
      securityContext: { runAsUser: 1000 },
    });
    expect(message).toBe("DONE");
  });

  test("should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set", async () => {
    const message = await messageOf("message-log", {
      command: shell("echo -n DONE; exit 1"),
      terminationMessagePolicy: "FallbackToLogsOnError",
    });
    expect(message).toBe("DONE");
  });

  test("should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set", async () => {
    const message = await messageOf("message-none", {
      command: shell("echo -n DONE; exit 0"),
      terminationMessagePolicy: "FallbackToLogsOnError",
    });
    expect(message).toBeUndefined();
  });

  test("should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set", async () => {
    const message = await messageOf("message-file", {
      command: shell("echo -n OK > /dev/termination-log; echo DONE; exit 0"),
      terminationMessagePolicy: "FallbackToLogsOnError",
    });
    expect(message).toBe("OK");
  });

  test("of a long message 4096 bytes are kept, and 12 KiB of all containers together", async () => {
    const command = shell("yes a | tr -d '\\n' | head -c 10000 > /dev/termination-log");
    expect(await messageOf("message-long", { command })).toHaveLength(4096);
    const containers = ["a", "b", "c", "d"].map((name) => ({ name, command }));
    await api.create("message-many", { restartPolicy: "Never", containers });
    const pod = await api.until("message-many", "the end", (one) =>
      one.status?.phase === "Succeeded" ? one : undefined,
    );
    expect(statusOf(pod, "d")?.state?.terminated?.message).toHaveLength(3072);
  });
});
