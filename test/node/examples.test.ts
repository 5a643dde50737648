import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Channel } from "../../src/channels/types.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { startTestRegistry, type TestRegistry } from "../helpers/registry.ts";

const folder = join(import.meta.dirname, "../../examples");

/** What each example's containers say at last, and the types of channel between them. */
const truth: Record<string, { says: Record<string, string[]>; channels: string[] }> = {
  "http-on-localhost": {
    says: { server: ["request 2: GET /"], client: ["Hello from the server, visit 2"] },
    channels: ["TCP"],
  },
  "named-pipe": {
    says: { writer: ["sent hello number 2"], reader: ["received: hello number 2"] },
    channels: ["FIFO"],
  },
  "shared-memory": {
    says: {
      left: ["from right through System V memory", "from right through POSIX memory"],
      right: ["from left through System V memory", "from left through POSIX memory"],
    },
    channels: ["POSIXSharedMemory", "SysVSharedMemory"],
  },
  "unix-socket": {
    says: { server: ["asked: question 2"], client: ["received: answer to question 2"] },
    channels: ["UnixStream"],
  },
};

let registry: TestRegistry;
let node: TestNode;

beforeAll(async () => {
  registry = await startTestRegistry();
  node = await testNode(["--registries-conf", registry.registriesConf]);
});
afterAll(async () => {
  await node?.close();
  await registry?.close();
});

test("every example is tested here", () => {
  const names = globSync("*.yaml", { cwd: folder }).map((file) => basename(file, ".yaml"));
  expect(names.sort()).toEqual(Object.keys(truth).sort());
});

test.each(Object.keys(truth))("examples/%s.yaml: its containers talk as it says", async (name) => {
  const { says, channels } = truth[name] ?? { says: {}, channels: [] };
  await node.ok(["up", "-d", "-f", join(folder, `${name}.yaml`)]);
  for (const [container, texts] of Object.entries(says)) {
    await eventually(
      async () => {
        const log = await node.ok(["logs", name, "-c", container]);
        return texts.every((text) => log.includes(text)) || undefined;
      },
      `${texts.join(", ")} in the log of ${container}`,
    );
  }
  await eventually(
    async () => {
      const { items } = JSON.parse(await node.ok(["channels", name, "-o", "json"])) as { items: Channel[] };
      const between = items
        .filter(({ spec }) => spec.scope === "InterContainer")
        .map(({ spec }) => spec.type);
      return channels.every((type) => between.some((found) => found === type)) || undefined;
    },
    `channels ${channels.join(", ")} in pod ${name}`,
  );
  const pod = JSON.parse(await node.ok(["get", "pod", name, "-o", "json"]));
  expect(pod.status.containerStatuses.map((status: { restartCount: number }) => status.restartCount)).toEqual(
    [0, 0],
  );
  await node.ok(["down", name]);
});

test("examples/services/by-name.yaml: both pods behind the name answer, and the map names the Service", async () => {
  const file = join(folder, "services/by-name.yaml");
  await node.ok(["up", "-d", "-f", file]);
  await eventually(async () => {
    const log = await node.ok(["logs", "by-name-client"]);
    return (
      ["left", "right"].every((side) => log.includes(`Hello from greeter-${side} to 10.244.`)) || undefined
    );
  }, "greetings of both pods");
  await eventually(async () => {
    const [table, answers] = [
      await node.ok(["channels", "by-name-client"]),
      await node.ok(["channels", "greeter-left"]),
    ];
    const isNamed = table.includes("service/greeter(greeter-left,greeter-right)");
    return (isNamed && answers.includes("pod/by-name-client")) || undefined;
  }, "the Service and its client by name");
  expect(await node.ok(["up", "-d", "-f", file])).toContain("service/greeter unchanged\n");
  expect(await node.ok(["down", "-f", file])).toContain('service "greeter" deleted\n');
});

test("examples/workloads/deployment-behind-service.yaml: both pods answer by the name, also after one is replaced", async () => {
  const file = join(folder, "workloads/deployment-behind-service.yaml");
  await node.ok(["up", "-d", "-f", file]);
  const names = async () =>
    (await node.ok(["get", "pods", "-l", "app=web", "-o", "name"])).trim().replaceAll("pod/", "").split("\n");
  const bothAnswer = () =>
    eventually(async () => {
      const [log, all] = [await node.ok(["logs", "visitor"]), await names()];
      return (all.length === 2 && all.every((name) => log.includes(`${name} answers`))) || undefined;
    }, "answers of both pods");
  await bothAnswer();
  await node.ok(["delete", "pod", (await names())[0] ?? ""]);
  await bothAnswer();
  expect(await node.ok(["down", "-f", file])).toContain('service "web" deleted\n');
});

test("examples/workloads/job-with-sidecar.yaml: the Job completes though its sidecar never ends by itself", async () => {
  const file = join(folder, "workloads/job-with-sidecar.yaml");
  await node.ok(["up", "-d", "-f", file]);
  const job = await eventually(async () => {
    const { status } = JSON.parse(await node.ok(["get", "job", "job-with-sidecar", "-o", "json"]));
    return status.conditions?.some(({ type }: { type: string }) => type === "Complete") ? status : undefined;
  }, "the Job to complete");
  expect(job).toMatchObject({ succeeded: 1, ready: 0 });
  const { items } = JSON.parse(
    await node.ok(["get", "pods", "-l", "job-name=job-with-sidecar", "-o", "json"]),
  );
  expect(items).toHaveLength(1);
  const [pod] = items;
  expect(pod.status.phase).toBe("Succeeded");
  expect(pod.status.initContainerStatuses[0]).toMatchObject({ restartCount: 0, state: { terminated: {} } });
  const log = await node.ok(["logs", pod.metadata.name, "-c", "worker"]);
  expect(log).toBe("the sidecar says: forty-two\n");
  expect(await node.ok(["down", "-f", file])).toContain('job "job-with-sidecar" deleted\n');
});
