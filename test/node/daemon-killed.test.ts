import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

const count = 10;
const counter = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.05; done";

function podList(): string {
  const items = Array.from({ length: count }, (_, index) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `counter-${index}` },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "main", image: "peapod.dev/host", command: ["sh", "-c", counter] }],
    },
  }));
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

interface PodJSON {
  metadata: { name: string; uid: string };
  status: { containerStatuses: { containerID: string; restartCount: number; state: { running?: object } }[] };
}

async function identities(node: TestNode): Promise<string[]> {
  const { items } = JSON.parse(await node.ok(["get", "pods", "-o", "json"])) as { items: PodJSON[] };
  return items.map(({ metadata, status }) => {
    const [main] = status.containerStatuses;
    return [
      metadata.name,
      metadata.uid,
      main?.containerID,
      main?.restartCount,
      "running" in (main?.state ?? {}),
    ].join(" ");
  });
}

let node: TestNode;
beforeAll(async () => {
  node = await testNode();
});
afterAll(() => node?.close());

test("containers and logs survive kill -9 of the daemon, and the next daemon finds all of them", async () => {
  await node.ok(["up", "-d", "-f", "-"], { input: podList() });
  const before = await identities(node);
  expect(before).toHaveLength(count);

  const pid = node.daemonPID();
  process.kill(pid, "SIGKILL");
  await eventually(() => {
    try {
      process.kill(pid, 0);
      return undefined;
    } catch {
      return true;
    }
  }, "the daemon's end");
  await node.ok(["node", "start"]);

  expect(await identities(node)).toEqual(before);
  const lines = await eventually(async () => {
    const log = (await node.ok(["logs", "counter-0"])).trim().split("\n");
    return log.length > 40 ? log : undefined;
  }, "40 lines");
  expect(lines).toEqual(lines.map((_, index) => `line ${index}`));

  await node.ok(["down", "--all"]);
  expect(await node.ok(["get", "pods", "-o", "name"])).toBe("");
});
