import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cgroupMode, cgroupV1Path } from "../../src/host/cgroups.ts";
import { layoutFor } from "../../src/host/layout.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { leftovers } from "../helpers/leftovers.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

// [sig-node] RuntimeClass of Kubernetes' conformance suite, and Pod Overhead.

let node: TestNode;
let kubectl: Client;

beforeAll(async () => {
  node = await testNode();
  ({ kubectl } = await clientsOf(node));
  await apply(
    runtimeClass("other", "runc"),
    runtimeClass("first", "crun"),
    runtimeClass("unconfigured", "no-such-handler"),
    runtimeClass("dear", "runc", {
      overhead: { podFixed: { cpu: "250m", memory: "64Mi" } },
      scheduling: {
        nodeSelector: { "kubernetes.io/os": "linux", zone: "here" },
        tolerations: [{ key: "sandboxed", operator: "Exists" }],
      },
    }),
  );
});
afterAll(async () => {
  await node?.close();
  expect(await leftovers(node, layoutFor(node.stateDir, node.runDir).instance)).toEqual([]);
});

const runtimeClass = (name: string, handler: string, more: object = {}) => ({
  apiVersion: "node.k8s.io/v1",
  kind: "RuntimeClass",
  metadata: { name },
  handler,
  ...more,
});
const main = { name: "main", image: "peapod.dev/host", command: ["sleep", "infinity"] };
const pod = (name: string, runtimeClassName: string | undefined, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { runtimeClassName, terminationGracePeriodSeconds: 1, containers: [main], ...spec },
});
const apply = (...objects: object[]) =>
  kubectl.ok(["apply", "-f", "-"], { input: objects.map((each) => JSON.stringify(each)).join("\n---\n") });
const create = (object: object) => kubectl.run(["create", "-f", "-"], { input: JSON.stringify(object) });
const ready = (name: string) => kubectl.ok(["wait", "--for=condition=Ready", "--timeout=60s", `pod/${name}`]);
const get = async (name: string, path: string) => kubectl.ok(["get", "pod", name, "-o", `jsonpath=${path}`]);

/** crun keeps a file `status` of a container, runc a file `state.json`. */
async function runtimeOf(name: string): Promise<string> {
  const id = (await get(name, "{.status.containerStatuses[0].containerID}")).split("//")[1] ?? "";
  const files = readdirSync(join(node.runDir, "runtime", id));
  return files.includes("state.json") ? "runc" : files.includes("status") ? "crun" : files.join();
}

async function cgroupValue(name: string, files: { unified: string; v1: [string, string] }): Promise<string> {
  const { instance } = layoutFor(node.stateDir, node.runDir);
  const cgroup = `/${instance}/pod${await get(name, "{.metadata.uid}")}`;
  const path =
    cgroupMode() === "unified"
      ? join("/sys/fs/cgroup", cgroup, files.unified)
      : join(cgroupV1Path(cgroup, files.v1[0]) ?? "", files.v1[1]);
  return readFileSync(path, "utf8").trim();
}

describe("[sig-node] RuntimeClass", () => {
  test("should run a Pod requesting a RuntimeClass with a configured handler", async () => {
    await apply(pod("by-runc", "other"), pod("by-crun", "first"), pod("by-default", undefined));
    await Promise.all(["by-runc", "by-crun", "by-default"].map(ready));
    expect(await runtimeOf("by-runc")).toBe("runc");
    expect(await runtimeOf("by-crun")).toBe("crun");
    expect(await runtimeOf("by-default")).toBe("crun");
    expect(await kubectl.ok(["exec", "by-runc", "--", "hostname"])).toBe("by-runc\n");
  });

  test("each goes on with its runtime after the daemon was killed", async () => {
    await node.killDaemon();
    await node.ok(["node", "start", "--runtime", "runc"]);
    ({ kubectl } = await clientsOf(node));
    for (const name of ["by-runc", "by-crun", "by-default"]) {
      expect(await kubectl.ok(["exec", name, "--", "hostname"])).toBe(`${name}\n`);
    }
    await kubectl.ok(["delete", "pod", "by-runc", "by-crun", "by-default"]);
  });

  test("one process namespace is kept by the same runtime", async () => {
    await apply(pod("shared", "other", { shareProcessNamespace: true, hostUsers: false }));
    await ready("shared");
    expect(await kubectl.ok(["exec", "shared", "--", "cat", "/proc/1/comm"])).toBe("catatonit\n");
    await kubectl.ok(["delete", "pod", "shared"]);
  });

  test("should reject a Pod requesting a non-existent RuntimeClass", async () => {
    const { exitCode, stderr } = await create(pod("homeless", "no-such-class"));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'pods "homeless" is forbidden: pod rejected: RuntimeClass "no-such-class" not found',
    );
  });

  test("should reject a Pod requesting a deleted RuntimeClass", async () => {
    await apply(runtimeClass("passing", "runc"));
    await kubectl.ok(["delete", "runtimeclass", "passing"]);
    expect((await create(pod("late", "passing"))).stderr).toContain('RuntimeClass "passing" not found');
  });

  test("should reject a Pod requesting a RuntimeClass with an unconfigured handler", async () => {
    await apply(pod("unconfigured", "unconfigured"));
    const args = [
      "get",
      "events",
      "--field-selector",
      "involvedObject.name=unconfigured,reason=FailedCreatePodSandBox",
    ];
    const events = await eventually(async () => {
      const text = await kubectl.ok([...args, "-o", "jsonpath={.items[*].message}"]);
      return text === "" ? undefined : text;
    }, "the event");
    expect(events).toContain('no runtime for "no-such-handler" is configured');
    await kubectl.ok(["delete", "pod", "unconfigured"]);
  });

  test("the node names the handlers and what they can do", async () => {
    const handlers = JSON.parse(
      await kubectl.ok(["get", "nodes", "-o", "jsonpath={.items[0].status.runtimeHandlers}"]),
    );
    expect(handlers.map(({ name }: { name: string }) => name).sort()).toEqual(["", "crun", "runc"]);
    expect(handlers[0].features).toEqual({ recursiveReadOnlyMounts: true, userNamespaces: true });
  });
});

describe("Pod Overhead", () => {
  const limited = { ...main, resources: { limits: { cpu: "500m", memory: "64Mi" } } };

  test("should be initialized from the RuntimeClass and counted into the pod's limits", async () => {
    await apply(pod("overhead", "dear", { containers: [limited], nodeSelector: { disk: "fast" } }));
    await ready("overhead");
    expect(JSON.parse(await get("overhead", "{.spec.overhead}"))).toEqual({ cpu: "250m", memory: "64Mi" });
    expect(JSON.parse(await get("overhead", "{.spec.nodeSelector}"))).toEqual({
      "kubernetes.io/os": "linux",
      zone: "here",
      disk: "fast",
    });
    expect(await get("overhead", "{.spec.tolerations[*].key}")).toContain("sandboxed");
    expect(await get("overhead", "{.status.qosClass}")).toBe("Guaranteed");
    const memory = { unified: "memory.max", v1: ["memory", "memory.limit_in_bytes"] as [string, string] };
    expect(await cgroupValue("overhead", memory)).toBe(String(128 * 1024 * 1024));
    const cpu = { unified: "cpu.max", v1: ["cpu", "cpu.cfs_quota_us"] as [string, string] };
    expect(await cgroupValue("overhead", cpu)).toMatch(/^75000/);
    await kubectl.ok(["delete", "pod", "overhead"]);
  });

  test.each([
    [
      "another than the class'",
      "dear",
      { cpu: "1" },
      "Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      "without a class",
      undefined,
      { cpu: "1" },
      "Pod Overhead set without corresponding RuntimeClass defined Overhead",
    ],
    ["with a class without one", "other", { cpu: "1" }, "Pod Overhead set without corresponding"],
  ])("is refused: %s", async (_, name, overhead, words) => {
    expect((await create(pod("wrong", name, { overhead }))).stderr).toContain(`pod rejected: ${words}`);
  });

  test("a node selector that contradicts the class is refused", async () => {
    const { stderr } = await create(pod("elsewhere", "dear", { nodeSelector: { zone: "there" } }));
    expect(stderr).toContain(
      "runtimeClass.scheduling.nodeSelector[zone] = here; pod.spec.nodeSelector[zone] = there",
    );
  });
});
