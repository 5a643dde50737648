import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

  await node.killDaemon();
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

test("a pod of a version that knew no resizing goes on untouched", async () => {
  const resources = { requests: { cpu: "20m", memory: "16Mi" }, limits: { cpu: "100m", memory: "64Mi" } };
  const main = { name: "main", image: "peapod.dev/host", command: ["sleep", "1000"], resources };
  const restarting = {
    ...main,
    resizePolicy: [{ resourceName: "memory", restartPolicy: "RestartContainer" }],
  };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "old" },
    spec: { terminationGracePeriodSeconds: 1, containers: [restarting] },
  };
  await node.ok(["up", "-d", "-f", "-"], { input: JSON.stringify(pod) });
  const before = await identities(node);
  await node.killDaemon();
  without(
    join(node.runDir, "sandboxes"),
    "sandbox.json",
    ({ allocated: _, applied: __, ...record }) => record,
  );
  without(join(node.stateDir, "containers"), "record.json", ({ record, ...stored }) => {
    const { resources: _, ...rest } = record as Record<string, unknown>;
    return { ...stored, record: rest };
  });
  await node.ok(["node", "start"]);

  const shown = await eventually(async () => {
    const { status } = JSON.parse(await node.ok(["get", "pod", "old", "-o", "json"]));
    return status.containerStatuses[0].resources as object | undefined;
  }, "the resources in the status");
  expect(shown).toEqual(resources);
  expect(await identities(node)).toEqual(before);
  expect(await node.ok(["get", "events"])).not.toContain("Resize");
  await node.ok(["down", "--all"]);
});

/** Rewrites the record in each folder as an older version would have written it. */
function without(
  folder: string,
  file: string,
  change: (record: Record<string, unknown>) => Record<string, unknown>,
): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name, file);
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")))));
  }
}
