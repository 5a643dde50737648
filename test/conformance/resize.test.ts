import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerResources } from "../../src/kube/pod-allocation.ts";
import { parseQuantity, quantityMilliValue, quantityValue } from "../../src/kube/quantity.ts";
import type { Container, PodSpec, StoredPod } from "../../src/kube/types.ts";
import { cgroupLimits } from "../helpers/cgroup-limits.ts";
import { type Cluster, startCluster } from "../helpers/cluster.ts";
import { type Client, clientsOf } from "../helpers/kubernetes-clients.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

// [sig-node] Pod InPlace Resize of Kubernetes' conformance suite, and what its documentation says of resizing.

let cluster: Cluster;
let kubectl: Client;
beforeAll(async () => {
  cluster = await startCluster();
  ({ kubectl } = await clientsOf(cluster.node));
});
afterAll(() => cluster?.close());

type Amounts = readonly [cpuRequest: string, cpuLimit: string, memoryRequest: string, memoryLimit: string];

/** Requests and limits from `cpuRequest cpuLimit memoryRequest memoryLimit`; `-` for what is not said. */
function resources(text: string): ContainerResources {
  const [cpuRequest, cpuLimit, memoryRequest, memoryLimit] = text.split(" ") as unknown as Amounts;
  const list = (cpu: string, memory: string) =>
    Object.fromEntries(
      [["cpu", cpu] as const, ["memory", memory] as const].filter(([, amount]) => amount !== "-"),
    );
  const [limits, requests] = [list(cpuLimit, memoryLimit), list(cpuRequest, memoryRequest)];
  return {
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
  };
}

const sleeper = (name: string, amounts: string, parts: Partial<Container> = {}): Container => ({
  name,
  image: "peapod.dev/host",
  command: ["sleep", "1000"],
  resources: resources(amounts),
  ...parts,
});

async function start(name: string, containers: Container[], spec: Partial<PodSpec> = {}): Promise<StoredPod> {
  await cluster.create("default", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 1, ...spec, containers },
  });
  return cluster.until(
    "default",
    name,
    ({ status }) => status?.phase === "Running" && isReady(status),
    "ready",
  );
}

const isReady = (status: StoredPod["status"]) =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
const conditionOf = (pod: StoredPod, type: string) =>
  pod.status?.conditions?.find((condition) => condition.type === type);
const statusOf = (pod: StoredPod, name: string) =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].find(
    (status) => status.name === name,
  );

/** Sends the amounts of the named containers to the `resize` subresource. */
function resize(pod: string, containers: Record<string, string>, list = "containers") {
  const wanted = Object.entries(containers).map(([name, text]) => ({ name, resources: resources(text) }));
  const patch = JSON.stringify({ spec: { [list]: wanted } });
  return kubectl.run(["patch", "pod", pod, "--subresource", "resize", "--patch", patch]);
}

async function resized(pod: string, containers: Record<string, string>, list?: string): Promise<StoredPod> {
  expect(await resize(pod, containers, list)).toMatchObject({ exitCode: 0, stdout: `pod/${pod} patched\n` });
  return settled(pod);
}

/** The pod once its status says that it has what its specification asks for now. */
async function settled(name: string): Promise<StoredPod> {
  const generation = Number(await kubectl.ok(["get", "pod", name, "-o", "jsonpath={.metadata.generation}"]));
  const isSettled = (pod: StoredPod) =>
    pod.metadata.generation === generation &&
    isReady(pod.status) &&
    conditionOf(pod, "PodResizePending") === undefined &&
    conditionOf(pod, "PodResizeInProgress") === undefined &&
    isDeepStrictEqual(pod.status?.resources, pod.spec.resources) &&
    [...(pod.spec.initContainers ?? []), ...pod.spec.containers].every(
      ({ name: container, resources: wanted = {} }) =>
        isDeepStrictEqual(statusOf(pod, container)?.resources, wanted),
    );
  return cluster.until("default", name, isSettled, "resized");
}

/** Compares every container's status and cgroup, and the pod's cgroup, with the specification. */
function expectActuated(pod: StoredPod): void {
  const { uid } = pod.metadata;
  for (const { name, resources: wanted } of pod.spec.containers) {
    const status = statusOf(pod, name);
    expect(status?.resources ?? {}, name).toEqual(wanted ?? {});
    expect(status?.allocatedResources, name).toEqual(wanted?.requests);
    const actual = cgroupLimits(cluster.node, uid, `${name}/${status?.restartCount}`);
    expect(actual, name).toMatchObject({
      cpuQuota: quotaOf(wanted?.limits?.cpu),
      memoryBytes: bytesOf(wanted?.limits?.memory),
    });
    const shares = Math.max(2, Math.floor((milliOf(wanted?.requests?.cpu) * 1024) / 1000));
    if (actual.cpuShares !== undefined) expect(actual.cpuShares, name).toBe(shares);
  }
  const limits = pod.spec.containers.map((container) => container.resources?.limits);
  const total = (amounts: (number | undefined)[]) =>
    amounts.every((amount) => amount !== undefined)
      ? amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0)
      : undefined;
  const cpu = total(limits.map((limit) => limit?.cpu && milliOf(limit.cpu)) as (number | undefined)[]);
  expect(cgroupLimits(cluster.node, uid)).toMatchObject({
    cpuQuota: cpu === undefined ? undefined : Math.max(1000, cpu * 100),
    memoryBytes: total(limits.map((limit) => bytesOf(limit?.memory))),
  });
}

type Quantity = string | number | undefined;
const parsed = (value: Quantity) => (value === undefined ? undefined : parseQuantity(value));
const milliOf = (value: Quantity) => {
  const quantity = parsed(value);
  return quantity === undefined ? 0 : Number(quantityMilliValue(quantity));
};
const bytesOf = (value: Quantity) => {
  const quantity = parsed(value);
  return quantity === undefined ? undefined : Number(quantityValue(quantity));
};
const quotaOf = (value: Quantity) => (value === undefined ? undefined : Math.max(1000, milliOf(value) * 100));

async function eventsOf(pod: string): Promise<string[]> {
  return (await cluster.events("default", pod)).map(({ reason }) => reason);
}

describe("[sig-node] Pod InPlace Resize", () => {
  test.each<[title: string, before: Record<string, string>, after: Record<string, string>]>([
    [
      "burstable: 6 containers - various operations (adding limits and requests)",
      {
        c1: "- - - -",
        c2: "10m - - -",
        c3: "10m - 20Mi -",
        c4: "10m 20m 20Mi 40Mi",
        c5: "10m 20m 20Mi 40Mi",
        c6: "10m 20m - -",
      },
      {
        c1: "10m 20m 20Mi 40Mi",
        c2: "20m 30m - -",
        c3: "10m - 30Mi 50Mi",
        c4: "5m 10m 10Mi 30Mi",
        c5: "15m 40m 30Mi 60Mi",
        c6: "10m 20m 20Mi 40Mi",
      },
    ],
    ["burstable: resize with equivalents (2m -> 1m)", { c1: "2m 10m - -" }, { c1: "1m 5m - -" }],
    [
      "guaranteed: 3 containers - net increase",
      { c1: "10m 10m 20Mi 20Mi", c2: "20m 20m 30Mi 30Mi", c3: "30m 30m 40Mi 40Mi" },
      { c1: "20m 20m 30Mi 30Mi", c2: "15m 15m 25Mi 25Mi", c3: "40m 40m 50Mi 50Mi" },
    ],
    [
      "guaranteed: 3 containers - net decrease",
      { c1: "20m 20m 30Mi 30Mi", c2: "20m 20m 30Mi 30Mi", c3: "40m 40m 50Mi 50Mi" },
      { c1: "10m 10m 20Mi 20Mi", c2: "25m 25m 35Mi 35Mi", c3: "30m 30m 40Mi 40Mi" },
    ],
    [
      "guaranteed: 3 containers - increase CPU (c1,c3), memory (c2,c3); decrease CPU (c2)",
      { c1: "10m 10m 20Mi 20Mi", c2: "20m 20m 20Mi 20Mi", c3: "10m 10m 20Mi 20Mi" },
      { c1: "20m 20m 20Mi 20Mi", c2: "10m 10m 30Mi 30Mi", c3: "20m 20m 30Mi 30Mi" },
    ],
  ])("%s", async (title, before, after) => {
    const name = `conformance-${title
      .replaceAll(/[^a-z0-9]+/gi, "-")
      .toLowerCase()
      .slice(0, 40)}x`;
    const containers = Object.entries(before).map(([container, text]) => sleeper(container, text));
    expectActuated(await start(name, containers));
    const pod = await resized(name, after);
    expectActuated(pod);
    for (const [container, text] of Object.entries(after)) {
      expect(pod.spec.containers.find((one) => one.name === container)?.resources).toEqual(resources(text));
      expect(statusOf(pod, container)?.restartCount).toBe(0);
    }
    expect(await eventsOf(name)).toEqual(expect.arrayContaining(["ResizeStarted", "ResizeCompleted"]));
    // What was added can't be taken away again.
    const back = Object.entries(before).filter(
      ([container]) => !title.includes("adding") || container === "c4",
    );
    const restored = await resized(name, Object.fromEntries(back));
    expectActuated(restored);
    await cluster.remove("default", "Pod", name);
  });

  test("resize pod via the replace endpoint", async () => {
    await start("replaced", [sleeper("c1", "10m 20m 20Mi 40Mi")]);
    const path = "/api/v1/namespaces/default/pods/replaced/resize";
    const { body } = await cluster.call("GET", path);
    body.spec.containers[0].resources = resources("20m 40m 30Mi 50Mi");
    body.spec.containers[0].image = "not looked at";
    const answer = await cluster.call("PUT", path, body);
    expect(answer).toMatchObject({
      status: 200,
      body: { spec: { containers: [{ image: "peapod.dev/host" }] } },
    });
    expectActuated(await settled("replaced"));
    const stale = await cluster.call("PUT", path, body);
    expect(stale.status).toBe(409);
  });
});

describe("kubectl", () => {
  test("edit, and apply on the server, by the subresource", async () => {
    await start("edited", [sleeper("c1", "10m 20m 20Mi 40Mi")]);
    const editor = join(cluster.node.runDir, "editor.sh");
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/memory: 40Mi/memory: 44Mi/" "$1"\n', { mode: 0o700 });
    const edited = await kubectl.ok(["edit", "pod", "edited", "--subresource", "resize"], {
      env: { KUBE_EDITOR: editor },
    });
    expect(edited).toBe("pod/edited edited\n");
    expectActuated(await settled("edited"));

    const configuration = JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "edited", labels: { not: "looked-at" } },
      spec: { containers: [{ name: "c1", image: "neither", resources: { limits: { memory: "48Mi" } } }] },
    });
    const apply = ["apply", "--server-side", "--subresource", "resize", "-f", "-"];
    expect((await kubectl.run(apply, { input: configuration })).stderr).toContain(
      'conflict with "kubectl-edit" with subresource "resize"',
    );
    const applied = await kubectl.ok([...apply, "--force-conflicts"], { input: configuration });
    expect(applied).toBe("pod/edited serverside-applied\n");
    const pod = await settled("edited");
    expectActuated(pod);
    expect(pod.spec.containers[0]).toMatchObject({
      image: "peapod.dev/host",
      resources: resources("10m 20m 20Mi 48Mi"),
    });
    expect(pod.metadata.labels).toBeUndefined();
  });

  test("is told what may not change", async () => {
    await start("refused", [sleeper("c1", "10m 20m 20Mi 40Mi")]);
    await start("initialized", [sleeper("c1", "10m 20m 20Mi 40Mi")], {
      initContainers: [{ ...sleeper("once", "10m - - -"), command: ["true"] }],
    });
    const patch = (spec: object, pod = "refused") =>
      kubectl.run(["patch", "pod", pod, "--subresource", "resize", "-p", JSON.stringify({ spec })]);
    const c1 = (change: object) => patch({ containers: [{ name: "c1", resources: change }] });
    const refusal = async (result: ReturnType<typeof patch>) => {
      const { exitCode, stderr } = await result;
      expect(exitCode).toBe(1);
      return stderr.replace(/^The Pod "\w+" is invalid: /, "").trim();
    };
    const quality = 'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing';
    expect(await refusal(c1(resources("20m 20m 40Mi 40Mi")))).toBe(quality);
    expect(await refusal(c1({ limits: { memory: null } }))).toBe(
      "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
    );
    expect(await refusal(c1({ requests: { "ephemeral-storage": "1Gi" } }))).toBe(
      "spec: Forbidden: only cpu and memory resources are mutable",
    );
    expect(await refusal(c1({ requests: { cpu: "30m" } }))).toBe(
      'spec.containers[0].resources.requests: Invalid value: "30m": must be less than or equal to cpu limit of 20m',
    );
    expect(
      await refusal(
        patch({ initContainers: [{ name: "once", resources: { requests: { cpu: "20m" } } }] }, "initialized"),
      ),
    ).toBe("spec: Forbidden: only cpu and memory resources for sidecar containers are mutable");
    const plain = await kubectl.run([
      "patch",
      "pod",
      "refused",
      "-p",
      JSON.stringify({ spec: { containers: [{ name: "c1", resources: resources("20m 40m - -") }] } }),
    ]);
    expect(plain.stderr).toContain("spec: Forbidden: pod updates may not change fields other than");
  });
});

describe("resizePolicy", () => {
  test("restarts a container for the resource that says so, with new variables then", async () => {
    const env = [
      { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
    ];
    const resizePolicy = [
      { resourceName: "cpu", restartPolicy: "NotRequired" },
      { resourceName: "memory", restartPolicy: "RestartContainer" },
    ];
    const command = ["sh", "-c", "trap 'exit 0' TERM; echo memory $MEMORY; sleep 1000 & wait"];
    await start("policy", [
      sleeper("c1", "10m 20m 20Mi 40Mi", { env, resizePolicy, command }),
      sleeper("c2", "10m 20m 20Mi 40Mi"),
    ]);
    const first = await resized("policy", { c1: "20m 40m 20Mi 40Mi" });
    expectActuated(first);
    expect(statusOf(first, "c1")?.restartCount).toBe(0);

    expect(await resize("policy", { c1: "20m 40m 20Mi 64Mi" })).toMatchObject({ exitCode: 0 });
    await cluster.until("default", "policy", (pod) => statusOf(pod, "c1")?.restartCount === 1, "restarted");
    const pod = await settled("policy");
    expectActuated(pod);
    expect(statusOf(pod, "c2")?.restartCount).toBe(0);
    await cluster.logged("default", "policy", "memory 64\n", "c1");
    const events = await cluster.events("default", "policy");
    expect(events.find(({ reason }) => reason === "Killing")?.message).toBe(
      "Container c1 resize requires restart",
    );
    expect(events.filter(({ reason }) => reason === "ResizeCompleted")).toHaveLength(2);
  });

  test("not required: variables stay as they were when the container started", async () => {
    const env = [
      { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
    ];
    await start("variables", [sleeper("c1", "10m 20m 20Mi 40Mi", { env })]);
    await resized("variables", { c1: "10m 20m 20Mi 64Mi" });
    expect(await kubectl.ok(["exec", "variables", "--", "printenv", "MEMORY"])).toBe("40\n");
  });

  test("that is none is refused", async () => {
    const pod = (restartPolicy: string, resizePolicy: object[]) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "no-policy" },
      spec: { restartPolicy, containers: [{ ...sleeper("c1", "10m 20m - -"), resizePolicy }] },
    });
    const message = async (...parts: Parameters<typeof pod>) =>
      (await cluster.call("POST", "/api/v1/namespaces/default/pods", pod(...parts))).body.message;
    expect(await message("Never", [{ resourceName: "cpu", restartPolicy: "RestartContainer" }])).toContain(
      "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'",
    );
    expect(await message("Always", [{ resourceName: "disk", restartPolicy: "NotRequired" }])).toContain(
      'spec.containers[0].resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"',
    );
  });
});

test("sidecars are resized as app containers are, and the pod as a whole", async () => {
  await start("sidecar", [sleeper("c1", "10m 20m 20Mi 40Mi")], {
    initContainers: [sleeper("side", "10m 20m 20Mi 40Mi", { restartPolicy: "Always" })],
  });
  const pod = await resized("sidecar", { side: "20m 40m 20Mi 60Mi" }, "initContainers");
  expect(statusOf(pod, "side")).toMatchObject({ restartCount: 0, resources: resources("20m 40m 20Mi 60Mi") });
  expect(cgroupLimits(cluster.node, pod.metadata.uid, "side/0")).toMatchObject({
    cpuQuota: 4_000,
    memoryBytes: 60 * 2 ** 20,
  });
  expect(cgroupLimits(cluster.node, pod.metadata.uid)).toMatchObject({
    cpuQuota: 6_000,
    memoryBytes: 100 * 2 ** 20,
  });

  await start("whole", [{ ...sleeper("c1", "- - - -") }], { resources: resources("20m 40m 20Mi 40Mi") });
  const patch = JSON.stringify({ spec: { resources: resources("30m 60m 30Mi 60Mi") } });
  await kubectl.ok(["patch", "pod", "whole", "--subresource", "resize", "-p", patch]);
  const whole = await settled("whole");
  expect(whole.status).toMatchObject({
    resources: resources("30m 60m 30Mi 60Mi"),
    allocatedResources: { cpu: "30m", memory: "30Mi" },
  });
  expect(cgroupLimits(cluster.node, whole.metadata.uid)).toMatchObject({
    cpuQuota: 6_000,
    memoryBytes: 60 * 2 ** 20,
  });
});

describe("what cannot be had", () => {
  test("more than the node has is infeasible; the old amounts stay until the wish is taken back", async () => {
    await start("infeasible", [sleeper("c1", "10m 20m 20Mi 40Mi")]);
    await resize("infeasible", { c1: "1000 1000 20Mi 40Mi" });
    const pod = await cluster.until(
      "default",
      "infeasible",
      (one) => conditionOf(one, "PodResizePending") !== undefined,
      "pending",
    );
    expect(conditionOf(pod, "PodResizePending")).toMatchObject({
      status: "True",
      reason: "Infeasible",
      message: expect.stringMatching(
        /^Node didn't have enough capacity: cpu, requested: 1000000, capacity: \d+$/,
      ),
      observedGeneration: 2,
    });
    expect(statusOf(pod, "c1")).toMatchObject({
      resources: resources("10m 20m 20Mi 40Mi"),
      allocatedResources: { cpu: "10m", memory: "20Mi" },
      restartCount: 0,
    });
    expect(cgroupLimits(cluster.node, pod.metadata.uid, "c1/0").cpuQuota).toBe(2_000);
    expect(await eventsOf("infeasible")).toContain("ResizeInfeasible");
    expectActuated(await resized("infeasible", { c1: "20m 30m 20Mi 40Mi" }));
  });

  test("what other pods hold is deferred, and granted when they are gone", async () => {
    const { body } = await cluster.call("GET", "/api/v1/nodes");
    const bytes = bytesOf(body.items[0].status.allocatable.memory) ?? 0;
    const most = String(Math.floor(bytes * 0.8));
    await start("holder", [sleeper("c1", `10m - ${most} -`)]);
    await start("waiter", [sleeper("c1", "10m - 20Mi -")]);
    await resize("waiter", { c1: `10m - ${String(Math.floor(bytes * 0.5))} -` });
    const pending = await cluster.until(
      "default",
      "waiter",
      (one) => conditionOf(one, "PodResizePending") !== undefined,
      "pending",
    );
    expect(conditionOf(pending, "PodResizePending")).toMatchObject({
      reason: "Deferred",
      message: expect.stringMatching(
        /^Node didn't have enough resource: memory, requested: \d+, used: \d+, capacity: \d+$/,
      ),
    });
    expect(await eventsOf("waiter")).toContain("ResizeDeferred");
    await cluster.remove("default", "Pod", "holder");
    expectActuated(await settled("waiter"));
    expect(await eventsOf("waiter")).toContain("ResizeCompleted");
    await cluster.remove("default", "Pod", "waiter");
  });

  test("memory in use is not taken away: in progress until it is free, over kill -9 of the daemon too", async () => {
    await using node = await disposableNode();
    const { kubectl: client } = await clientsOf(node);
    const get = async () => JSON.parse(await client.ok(["get", "pod", "used", "-o", "json"])) as StoredPod;
    const input = JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "used" },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [sleeper("c1", "10m 20m 20Mi 60Mi"), sleeper("c2", "10m 20m 20Mi 60Mi")],
      },
    });
    await client.ok(["create", "-f", "-"], { input });
    await client.ok(["wait", "pod/used", "--for=condition=Ready", "--timeout=60s"]);
    const shell = (script: string) => client.ok(["exec", "used", "-c", "c1", "--", "sh", "-c", script]);
    await shell("head -c 40000000 /dev/zero > /dev/shm/ballast");
    const patch = JSON.stringify({
      spec: { containers: [{ name: "c1", resources: resources("20m 40m 20Mi 30Mi") }] },
    });
    await client.ok(["patch", "pod", "used", "--subresource", "resize", "-p", patch]);
    await client.ok(["wait", "pod/used", "--for=condition=PodResizeInProgress", "--timeout=30s"]);
    const pod = await get();
    const { uid } = pod.metadata;
    expect(conditionOf(pod, "PodResizeInProgress")).toMatchObject({
      status: "True",
      reason: "Error",
      observedGeneration: 2,
      message: expect.stringMatching(
        /^cannot decrease memory limits: attempting to set container "c1" memory limit \(31457280\) below current usage \(\d+\)$/,
      ),
    });
    const held = { allocatedResources: { cpu: "20m" }, resources: resources("10m 20m 20Mi 60Mi") };
    expect(statusOf(pod, "c1")).toMatchObject(held);
    expect(cgroupLimits(node, uid, "c1/0").memoryBytes).toBe(60 * 2 ** 20);

    await node.killDaemon();
    await node.ok(["node", "start"]);
    await client.ok(["wait", "pod/used", "--for=condition=PodResizeInProgress", "--timeout=30s"]);
    expect(statusOf(await get(), "c1")).toMatchObject(held);
    await shell("rm /dev/shm/ballast");
    const done = await eventually(async () => {
      const one = await get();
      return conditionOf(one, "PodResizeInProgress") === undefined ? one : undefined;
    }, "the resize's end");
    expect(statusOf(done, "c1")).toMatchObject({
      restartCount: 0,
      resources: resources("20m 40m 20Mi 30Mi"),
    });
    expect(cgroupLimits(node, uid, "c1/0")).toMatchObject({ cpuQuota: 4_000, memoryBytes: 30 * 2 ** 20 });
    expect(cgroupLimits(node, uid)).toMatchObject({ cpuQuota: 6_000, memoryBytes: 90 * 2 ** 20 });
    const { items } = JSON.parse(await client.ok(["get", "events", "-o", "json"])) as {
      items: { reason: string }[];
    };
    const told = items.map(({ reason }) => reason).filter((reason) => reason.startsWith("Resize"));
    expect(told).toEqual(["ResizeStarted", "ResizeError", "ResizeCompleted"]);
  });
});

/** A node of one test's own, whose daemon it may kill. */
async function disposableNode(): Promise<TestNode & AsyncDisposable> {
  const node = await testNode();
  return { ...node, [Symbol.asyncDispose]: () => node.close() };
}
