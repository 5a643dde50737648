import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Channel } from "../../src/channels/types.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { startTestRegistry, type TestRegistry } from "../helpers/registry.ts";

const pods = join(import.meta.dirname, "../fixtures/pods");
const examples = join(import.meta.dirname, "../../examples");

let registry: TestRegistry;

beforeAll(async () => {
  registry = await startTestRegistry();
});
afterAll(() => registry?.close());

async function channels(node: TestNode, pod: string): Promise<Channel[]> {
  const list = JSON.parse(await node.ok(["channels", pod, "-o", "json"])) as { items: Channel[] };
  return list.items;
}

function ends(channel: Channel): string {
  const name = (roles: string[]) =>
    channel.status.endpoints.find((endpoint) => roles.includes(endpoint.role))?.container;
  return `${name(["Client", "Writer", "Sender"])} -> ${name(["Server", "Reader", "Receiver"])}`;
}

async function findChannel(node: TestNode, pod: string, type: string, route: string): Promise<Channel> {
  return eventually(
    async () =>
      (await channels(node, pod)).find((channel) => channel.spec.type === type && ends(channel) === route),
    `a ${type} channel ${route}`,
  );
}

async function logHas(node: TestNode, pod: string, container: string, text: string): Promise<void> {
  await eventually(async () => {
    const output = await node.peapod(["logs", pod, "-c", container]);
    return output.stdout.includes(text) ? true : undefined;
  }, `${text} in the log of ${container}`);
}

describe.each([
  ["with images from a registry", (): string[] => [], () => ["--registries-conf", registry.registriesConf]],
  ["on the host image", (): string[] => ["--image-fallback=host"], (): string[] => []],
])("%s", (_case, upArgs, startArgs) => {
  let node: TestNode;

  beforeAll(async () => {
    node = await testNode(startArgs());
  });
  afterAll(() => node?.close());

  test("HTTP on localhost: the answer arrives and the channel is seen though each connection lasts milliseconds", async () => {
    await node.ok(["up", "-d", ...upArgs(), "-f", join(pods, "http-short-connections.yaml")]);
    await logHas(node, "shared-port-pod", "container-b", "Hello from Container A");
    const channel = await findChannel(node, "shared-port-pod", "TCP", "container-b -> container-a");
    expect(channel.spec.port).toBe(8080);
    expect(channel.status).toMatchObject({ needsPort: true, declared: true });
  });

  test("FIFO in a shared volume: the line arrives and the channel needs no port", async () => {
    await node.ok(["up", "-d", ...upArgs(), "-f", join(pods, "fifo.yaml")]);
    await logHas(node, "ipc-pod", "reader", "Hello from writer");
    const channel = await findChannel(node, "ipc-pod", "FIFO", "writer -> reader");
    expect(channel.spec.address).toBe("shared-volume:/my_pipe");
    expect(channel.status.needsPort).toBe(false);
  });

  test("containers share net, IPC and UTS namespaces and have their own mount and PID namespaces", async () => {
    const pod = JSON.parse(await node.ok(["get", "pod", "ipc-pod", "-o", "json"])) as {
      metadata: { name: string };
    };
    expect(pod.metadata.name).toBe("ipc-pod");
    const inContainer = async (container: string, type: string) =>
      (await node.ok(["exec", "ipc-pod", "-c", container, "--", "readlink", `/proc/self/ns/${type}`])).trim();
    for (const type of ["net", "ipc", "uts"]) {
      const namespace = await inContainer("writer", type);
      expect(await inContainer("reader", type)).toBe(namespace);
      expect(namespace).not.toBe(readlinkSync(`/proc/self/ns/${type}`));
    }
    for (const type of ["mnt", "pid"]) {
      expect(await inContainer("reader", type)).not.toBe(await inContainer("writer", type));
    }
  });

  test("shared memory from one manifest: segments are named with size and both containers", async () => {
    await node.ok(["up", "-d", ...upArgs(), "-f", join(examples, "shared-memory.yaml")]);
    for (const type of ["SysVSharedMemory", "POSIXSharedMemory"]) {
      const channel = await eventually(
        async () =>
          (await channels(node, "shared-memory")).find(
            (candidate) =>
              candidate.spec.type === type &&
              new Set(candidate.status.endpoints.map((endpoint) => endpoint.container)).size === 2,
          ),
        `${type} between two containers`,
      );
      expect(channel.spec.size).toBeGreaterThan(0);
      expect(channel.status.needsPort).toBe(false);
    }
  });

  test("down removes every pod", async () => {
    await node.ok(["down", "--all", "--grace-period=1"]);
    expect(await node.ok(["get", "pods", "-o", "name"])).toBe("");
  });
});

test("a second container that binds a taken port gets EADDRINUSE in its log", async () => {
  const node = await testNode();
  try {
    const server = "require('http').createServer().listen(8080, () => console.log('listening'))";
    const container = (name: string) => ({ name, image: "peapod.dev/host", command: ["node", "-e", server] });
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "two-servers" },
      spec: { restartPolicy: "Never", containers: [container("first"), container("second")] },
    };
    await node.peapod(["up", "-d", "-f", "-"], { input: JSON.stringify(pod) });
    await eventually(async () => {
      const { stdout } = await node.peapod(["logs", "two-servers", "--all-containers"]);
      return stdout.includes("listening") && stdout.includes("EADDRINUSE") ? true : undefined;
    }, "one server listening, the other refused with EADDRINUSE");
  } finally {
    await node.close();
  }
});
