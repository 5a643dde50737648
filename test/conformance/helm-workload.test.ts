import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoredPod } from "../../src/kube/types.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { type TestNode, testNode } from "../helpers/peapod.ts";

// A chart as people have them: a Deployment of two containers, its configuration, a Service, a hook and a test.

const chart = join(import.meta.dirname, "../fixtures/charts/visits");
const release = "shop";

let node: TestNode;
let kubectl: Client;
let helm: Client;

beforeAll(async () => {
  node = await testNode();
  ({ kubectl, helm } = await clientsOf(node));
});
afterAll(() => node?.close());

const waiting = ["--wait", "--timeout=120s"];
/** The Deployment's pods that are not on their way out, by their greeting's checksum. */
async function pods(): Promise<{ name: string; words: string; ready: boolean }[]> {
  const { items } = JSON.parse(await kubectl.ok(["get", "pods", "-l", `app=${release}-web`, "-o", "json"]));
  return (items as StoredPod[])
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, status }) => ({
      name: metadata.name,
      words: metadata.annotations?.["checksum/words"] ?? "",
      ready: status?.containerStatuses?.every(({ ready }) => ready) ?? false,
    }));
}
const prepared = () => kubectl.ok(["logs", `job/${release}-prepare`]);

test("install runs the hook to its end, then waits for the Deployment", async () => {
  const text = await helm.ok(["install", release, chart, ...waiting]);
  expect(text).toMatch(/^STATUS: deployed$/m);
  expect(await prepared()).toBe("prepared revision 1\n");
  expect((await pods()).map(({ ready }) => ready)).toEqual([true, true]);
  expect(
    await kubectl.ok(["get", "deployment", `${release}-web`, "-o", "jsonpath={.status.readyReplicas}"]),
  ).toBe("2");
});

test("test asks the Service by its name", async () => {
  const text = await helm.ok(["test", release, "--timeout=60s"]);
  expect(text).toMatch(/^Phase:\s+Succeeded$/m);
});

test("upgrade replaces every pod, and runs the hook again", async () => {
  const before = await pods();
  await helm.ok(["upgrade", release, chart, "--set=greeting=moin", ...waiting]);
  const after = await pods();
  expect(after).toHaveLength(2);
  expect(new Set(after.map(({ words }) => words)).size).toBe(1);
  for (const { name } of after) expect(before.map((pod) => pod.name)).not.toContain(name);
  expect(await prepared()).toBe("prepared revision 2\n");
  expect(await helm.ok(["test", release, "--timeout=60s"])).toMatch(/^Phase:\s+Succeeded$/m);
});

test("an upgrade that never gets ready says so, and the old pods go on", async () => {
  const before = (await pods()).map(({ name }) => name);
  const failed = await helm.run([
    "upgrade",
    release,
    chart,
    "--set=image=registry.invalid/none",
    "--no-hooks",
    "--wait",
    "--timeout=6s",
  ]);
  expect(failed.exitCode).not.toBe(0);
  const ready = (await pods()).filter((pod) => pod.ready);
  expect(ready.map(({ name }) => name).every((name) => before.includes(name))).toBe(true);
  expect(ready.length).toBeGreaterThanOrEqual(1);
});

test("rollback goes back to the first revision's words", async () => {
  expect(await helm.ok(["rollback", release, "1", ...waiting])).toContain("Rollback was a success");
  const [history] = JSON.parse(await helm.ok(["history", release, "-o", "json", "--max=1"]));
  expect(history.status).toBe("deployed");
  expect(await kubectl.ok(["get", "configmap", `${release}-words`, "-o", "jsonpath={.data.greeting}"])).toBe(
    "hello",
  );
  expect(await helm.ok(["test", release, "--timeout=60s"])).toMatch(/^Phase:\s+Succeeded$/m);
});

test("uninstall removes what the release made, and the pods with their Deployment", async () => {
  expect(await helm.ok(["uninstall", release, ...waiting])).toContain(`release "${release}" uninstalled`);
  await kubectl.ok(["wait", "--for=delete", "pod", "-l", `app=${release}-web`, "--timeout=60s"]);
  const left = await kubectl.ok([
    "get",
    "deployments,replicasets,services,endpointslices,configmaps,secrets",
    "-o",
    "name",
  ]);
  expect(left).not.toContain(`${release}-`);
});
