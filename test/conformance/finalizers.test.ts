import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { type PodAPI, podAPI, shell, statusOf } from "../helpers/pods.ts";

// A finalizer holds a pod's object, not its containers.

let node: TestNode;
let api: PodAPI;
beforeAll(async () => {
  node = await testNode();
  api = podAPI(node);
});
afterAll(() => node?.close());

const finalizers = ["peapod.dev/test"];
const isHeld = (name: string) =>
  api.until(name, "held by its finalizer alone", (pod) =>
    pod.metadata.deletionGracePeriodSeconds === 0 ? pod : undefined,
  );
const untilTrapped = (name: string) =>
  eventually(
    async () => (await api.log(name, "main").catch(() => "")) === "trapped\n" || undefined,
    "its trap",
  );
const isGone = async (name: string) => (await api.get(name).catch(() => undefined)) === undefined;

test("a pod whose containers have ended stays with its last status until its finalizer goes", async () => {
  const command = shell("trap 'exit 3' TERM; echo trapped; while :; do sleep 0.1; done");
  await api.create("held", { containers: [{ name: "main", command }] }, { finalizers });
  await untilTrapped("held");
  await node.ok(["delete", "pod", "held", "--wait=false"]);
  const held = await isHeld("held");
  expect(held.status).toMatchObject({ phase: "Failed", observedGeneration: held.metadata.generation });
  expect(statusOf(held, "main")?.state?.terminated?.exitCode).toBe(3);

  await node.killDaemon();
  await node.ok(["node", "start"]);
  expect(await api.get("held")).toEqual(held);
  const labelled = await api.patch("held", { metadata: { labels: { changed: "yes" } } });
  expect(labelled.status).toEqual(held.status);

  await api.patch("held", { metadata: { finalizers: [] } });
  expect(await isGone("held")).toBe(true);
});

test("a finalizer that goes while the containers still end leaves the pod to the node", async () => {
  const command = shell(
    "trap 'until test -e /tmp/end; do sleep 0.1; done; exit 0' TERM; echo trapped; while :; do sleep 0.1; done",
  );
  const spec = { terminationGracePeriodSeconds: 60, containers: [{ name: "main", command }] };
  await api.create("ending", spec, { finalizers });
  await untilTrapped("ending");
  await node.ok(["delete", "pod", "ending", "--wait=false"]);
  await api.patch("ending", { metadata: { finalizers: [] } });
  expect(statusOf(await api.get("ending"), "main")?.state?.running).toBeDefined();
  // The container may end before this does, and takes it along: its own exit code says nothing.
  await node.peapod(["exec", "ending", "--", "touch", "/tmp/end"]);
  await eventually(async () => (await isGone("ending")) || undefined, "the pod's end");
});

test("a pod that never ran is held, too, and one of its name can follow at once", async () => {
  const container = { name: "main", image: "localhost:1/nothing:here" };
  await api.create("never", { containers: [container] }, { finalizers });
  await node.ok(["delete", "pod", "never", "--wait=false"]);
  const held = await isHeld("never");
  expect(held.status).toMatchObject({ phase: "Failed", observedGeneration: held.metadata.generation });
  expect(statusOf(held, "main")?.state?.terminated).toMatchObject({
    exitCode: 137,
    reason: "ContainerStatusUnknown",
  });
  await api.patch("never", { metadata: { finalizers: [] } });
  const next = await api.create("never", { containers: [container] });
  expect(next.metadata.deletionTimestamp).toBeUndefined();
  await api.delete("never");
});
