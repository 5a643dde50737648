import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { slower } from "../helpers/patience.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

// https://kubernetes.io/docs/tasks/manage-hugepages/scheduling-hugepages/

const setting = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
const wantedPages = 4;

let before: string;
let hasPages = false;
let node: TestNode;
let kubectl: Client;

beforeAll(async () => {
  before = readFileSync(setting, "utf8").trim();
  writeFileSync(setting, String(Number(before) + wantedPages));
  hasPages = Number(readFileSync(setting, "utf8")) === Number(before) + wantedPages;
  node = await testNode();
  ({ kubectl } = await clientsOf(node));
});
afterAll(async () => {
  await node?.close();
  writeFileSync(setting, before);
});

const pages = (count: number) => ({ cpu: "100m", memory: "64Mi", "hugepages-2Mi": `${count * 2}Mi` });

function pod(
  name: string,
  script: string,
  limits: object | undefined,
  medium = "HugePages",
  spec: object = {},
) {
  const volumes = [{ name: "huge", emptyDir: { medium } }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "main",
          image: "peapod.dev/host",
          command: ["python3", "-c", script],
          resources: { limits },
          ...(limits === undefined ? {} : { volumeMounts: [{ name: "huge", mountPath: "/huge" }] }),
        },
      ],
      ...(limits === undefined ? {} : { volumes }),
      ...spec,
    },
  };
}

/** Maps so many pages of the volume, or of no file, and writes to each. */
const use = (count: number, from: "file" | "memory") => `
import mmap, os
size = ${count} << 21
if "${from}" == "file":
    fd = os.open("/huge/f", os.O_CREAT | os.O_RDWR)
    os.ftruncate(fd, size)
    memory = mmap.mmap(fd, size)
else:
    memory = mmap.mmap(-1, size, flags=0x40022)
for page in range(${count}):
    memory[page << 21] = 1
print("used", ${count}, flush=True)
`;

async function run(object: { metadata: { name: string } }): Promise<{ phase: string; log: string }> {
  const { name } = object.metadata;
  await kubectl.ok(["create", "-f", "-"], { input: JSON.stringify(object) });
  const phase = await eventually(
    async () => {
      const text = await kubectl.ok(["get", "pod", name, "-o", "jsonpath={.status.phase}"]);
      return text === "Succeeded" || text === "Failed" ? text : undefined;
    },
    `${name} ended`,
    60_000,
  );
  const log = await kubectl.run(["logs", name]);
  return { phase, log: log.stdout + log.stderr };
}

describe("huge pages", () => {
  test("are shown by the node, and taken off the memory that others can have", async (context) => {
    if (!hasPages) context.skip("the kernel has no memory left for huge pages");
    const status = JSON.parse(await kubectl.ok(["get", "nodes", "-o", "jsonpath={.items[0].status}"]));
    const total = (Number(before) + wantedPages) * 2048;
    expect(status.capacity["hugepages-2Mi"]).toBe(`${total}Ki`);
    expect(status.allocatable["hugepages-2Mi"]).toBe(`${total}Ki`);
    const memory = (list: Record<string, string>) => Number.parseInt(list.memory ?? "", 10);
    expect(memory(status.capacity) - memory(status.allocatable)).toBe(total);
  });

  test.each(["HugePages", "HugePages-2Mi"])("of a volume with medium %s are used", async (medium) => {
    if (!hasPages) return;
    const name = medium.toLowerCase();
    expect(await run(pod(name, use(2, "file"), pages(2), medium))).toEqual({
      phase: "Succeeded",
      log: "used 2\n",
    });
  });

  test("are used in a user namespace, too", async (context) => {
    if (!hasPages) context.skip("the kernel has no memory left for huge pages");
    const object = pod("users", use(2, "file"), pages(2), "HugePages", { hostUsers: false });
    expect(await run(object)).toEqual({ phase: "Succeeded", log: "used 2\n" });
  });

  test("beyond its limit end a container, and without a limit it has none", async (context) => {
    if (!hasPages) context.skip("the kernel has no memory left for huge pages");
    expect((await run(pod("greedy", use(3, "memory"), pages(2)))).log).not.toContain("used");
    expect((await run(pod("uninvited", use(1, "memory"), undefined))).log).not.toContain("used");
    expect((await run(pod("modest", use(2, "memory"), pages(2)))).log).toBe("used 2\n");
  });

  test("that the machine doesn't have are refused", async () => {
    const { phase } = await run(pod("too-many", "pass", pages(100_000)));
    expect(phase).toBe("Failed");
    const status = JSON.parse(await kubectl.ok(["get", "pod", "too-many", "-o", "jsonpath={.status}"]));
    expect(status.reason).toBe("OutOfhugepages-2Mi");
    expect(status.message).toMatch(
      /^Pod was rejected: Node didn't have enough resource: hugepages-2Mi, requested: 209715200000, used: 0, capacity: \d+$/,
    );
  });

  test("need a limit for the page size of the volume", async () => {
    const object = pod("sizeless", "pass", { cpu: "1", memory: "64Mi" });
    await kubectl.ok(["create", "-f", "-"], { input: JSON.stringify(object) });
    const events = ["events", "--for", "pod/sizeless", "--types=Warning", "-w"];
    const text = "no container asks for huge pages";
    await expect
      .poll(async () => kubectl.ok(events.slice(0, 4)), { timeout: 20_000 * slower })
      .toContain(text);
    await kubectl.ok(["delete", "pod", "sizeless"]);
  });
});
