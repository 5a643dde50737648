import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { StoredPod } from "../../src/kube/types.ts";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import { eventually } from "../helpers/peapod.ts";

// [sig-node] Pods, Pods Extended and PodTemplates of Kubernetes' conformance suite.

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

const pathOf = (namespace: string, pod = "") => `/api/v1/namespaces/${namespace}/pods${pod && `/${pod}`}`;
const isRunning = ({ status }: StoredPod) => status?.phase === "Running";
const running = (namespace: string, name: string) => cluster.until(namespace, name, isRunning, "running");
const lasting = (name: string, spec = {}, container = {}) =>
  scriptPod(name, "trap exit TERM; echo trapped; sleep infinity & wait", spec, container);

/** Resolves once the API says that the pod is gone. */
const gone = (namespace: string, name: string) =>
  eventually(
    async () => ((await cluster.call("GET", pathOf(namespace, name))).status === 404 ? true : undefined),
    `${name} is gone`,
  );

/** The messages of a WebSocket until the server closes it. */
function messages(path: string, protocols: readonly string[]): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws+unix://${cluster.node.runDir}/api.sock:${path}`, [...protocols]);
    const received: Buffer[] = [];
    socket.on("message", (data: Buffer) => received.push(data));
    socket.on("close", () => resolve(received));
    socket.on("error", reject);
  });
}

describe("[sig-node] Pods", () => {
  test("should get a host IP", async () => {
    await cluster.create("default", lasting("host-ip"));
    const { status } = await running("default", "host-ip");
    expect(status?.hostIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(status?.hostIPs).toEqual([{ ip: status?.hostIP }]);
  });

  test("should be submitted and removed", async () => {
    const namespace = await cluster.newNamespace();
    const selector = "labelSelector=time%3Dnow";
    const before = (await cluster.call("GET", `${pathOf(namespace)}?${selector}`)).body;
    expect(before.items).toEqual([]);
    const pod = lasting("submitted", { terminationGracePeriodSeconds: 0 }) as StoredPod;
    await cluster.create(namespace, { ...pod, metadata: { name: "submitted", labels: { time: "now" } } });
    // A signal that comes before its trap is set is lost.
    await cluster.logged(namespace, "submitted", "trapped");
    const query = `watch=true&${selector}&resourceVersion=${before.metadata.resourceVersion}&timeoutSeconds=2`;
    const { body: deleted } = await cluster.call("DELETE", pathOf(namespace, "submitted"), {
      gracePeriodSeconds: 30,
    });
    expect(deleted.metadata.deletionGracePeriodSeconds).toBe(30);
    await gone(namespace, "submitted");
    const types = (await cluster.watch(`${pathOf(namespace)}?${query}`)).map(({ type }) => type);
    expect(types[0]).toBe("ADDED");
    expect(types.at(-1)).toBe("DELETED");
    expect((await cluster.call("GET", `${pathOf(namespace)}?${selector}`)).body.items).toEqual([]);
  });

  test("should be updated", async () => {
    const pod = lasting("updated") as StoredPod;
    await cluster.create("default", { ...pod, metadata: { name: "updated", labels: { time: "1" } } });
    const { metadata } = await running("default", "updated");
    const current = (await cluster.call("GET", pathOf("default", "updated"))).body;
    current.metadata.labels.time = "2";
    expect((await cluster.call("PUT", pathOf("default", "updated"), current)).status).toBe(200);
    const listed = (await cluster.call("GET", `${pathOf("default")}?labelSelector=time%3D2`)).body.items;
    expect(listed.map((each: StoredPod) => each.metadata.uid)).toEqual([metadata.uid]);
  });

  test("should allow activeDeadlineSeconds to be updated", async () => {
    await cluster.create("default", lasting("deadline"));
    await running("default", "deadline");
    await cluster.patch("default", "Pod", "deadline", { spec: { activeDeadlineSeconds: 1 } });
    const failed = await cluster.until(
      "default",
      "deadline",
      ({ status }) => status?.phase === "Failed",
      "failed",
    );
    expect(failed.status?.reason).toBe("DeadlineExceeded");
  });

  test("should delete a collection of pods", async () => {
    const namespace = await cluster.newNamespace();
    const names = ["one", "two", "three"];
    for (const name of names) {
      const pod = lasting(name, { terminationGracePeriodSeconds: 1 }) as StoredPod;
      await cluster.create(namespace, { ...pod, metadata: { name, labels: { type: "collected" } } });
    }
    await cluster.create(namespace, lasting("other"));
    await Promise.all(names.map((name) => running(namespace, name)));
    const answer = await cluster.call("DELETE", `${pathOf(namespace)}?labelSelector=type%3Dcollected`);
    expect(answer.status).toBe(200);
    await Promise.all(names.map((name) => gone(namespace, name)));
    const left = (await cluster.call("GET", pathOf(namespace))).body.items;
    expect(left.map((pod: StoredPod) => pod.metadata.name)).toEqual(["other"]);
  });

  test("should patch a pod status", async () => {
    await cluster.create("default", lasting("patched"));
    await running("default", "patched");
    const condition = { type: "peapod.dev/Watched", status: "True", reason: "Test", message: "by a test" };
    const path = `${pathOf("default", "patched")}/status`;
    const change = { status: { conditions: [condition] }, metadata: { labels: { status: "patched" } } };
    const answer = await cluster.call("PATCH", path, change, "application/strategic-merge-patch+json");
    expect(answer.status).toBe(200);
    const { body } = await cluster.call("GET", path);
    expect(body.status.conditions).toContainEqual(expect.objectContaining(condition));
    expect(body.status.conditions).toContainEqual(expect.objectContaining({ type: "Ready", status: "True" }));
  });

  test("should run through the lifecycle of Pods and PodStatus", async () => {
    const namespace = await cluster.newNamespace();
    const pod = lasting("lifecycle") as StoredPod;
    await cluster.create(namespace, { ...pod, metadata: { name: "lifecycle", labels: { test: "static" } } });
    await running(namespace, "lifecycle");
    const patch = await cluster.call(
      "PATCH",
      pathOf(namespace, "lifecycle"),
      {
        metadata: { labels: { test: "patched" } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: "main", image: "peapod.dev/host:latest" }],
        },
      },
      "application/strategic-merge-patch+json",
    );
    expect(patch.body.metadata?.labels).toEqual({ test: "patched" });
    // Another image starts the container anew, and only it.
    await cluster.until(
      namespace,
      "lifecycle",
      ({ status }) =>
        status?.containerStatuses?.[0]?.restartCount === 1 &&
        status.containerStatuses[0].state?.running !== undefined,
      "restarted with its other image",
    );
    const path = `${pathOf(namespace, "lifecycle")}/status`;
    const { body: current } = await cluster.call("GET", path);
    current.status.conditions = current.status.conditions.map((each: { type: string }) =>
      each.type === "Ready" ? { ...each, reason: "Replaced" } : each,
    );
    expect((await cluster.call("PUT", path, current)).status).toBe(200);
    await cluster.call("DELETE", `${pathOf(namespace)}?labelSelector=test%3Dpatched`);
    await gone(namespace, "lifecycle");
  });

  test("should support remote command execution over websockets", async () => {
    await cluster.create("default", lasting("websocket"));
    await running("default", "websocket");
    const command = "command=echo&command=remote%20execution%20test";
    const path = `${pathOf("default", "websocket")}/exec?stdout=1&stderr=1&container=main&${command}`;
    for (const protocol of ["channel.k8s.io", "v4.channel.k8s.io", "v5.channel.k8s.io"]) {
      const received = await messages(path, [protocol]);
      const output = received.filter((message) => message[0] === 1 && message.length > 1);
      expect(Buffer.concat(output.map((message) => message.subarray(1))).toString(), protocol).toBe(
        "remote execution test\n",
      );
    }
  });

  test("should support retrieving logs from the container over websockets", async () => {
    await runPod(cluster, "default", scriptPod("logged", "echo container is alive; echo again"));
    const path = `${pathOf("default", "logged")}/log?container=main`;
    const binary = await messages(path, ["binary.k8s.io"]);
    expect(Buffer.concat(binary).toString()).toBe("container is alive\nagain\n");
    const encoded = await messages(path, ["base64.binary.k8s.io"]);
    const decoded = encoded.map((message) => Buffer.from(message.toString(), "base64"));
    expect(Buffer.concat(decoded).toString()).toBe("container is alive\nagain\n");
  });
});

test("scheduling gates hold a pod back until they are gone", async () => {
  const gates = [{ name: "example.com/one" }, { name: "example.com/two" }];
  const created = await cluster.create<StoredPod>("default", lasting("gated", { schedulingGates: gates }));
  expect(created.spec.nodeName).toBeUndefined();
  expect(created.status?.conditions).toEqual([
    expect.objectContaining({ type: "PodScheduled", status: "False", reason: "SchedulingGated" }),
  ]);
  expect(await cluster.node.ok(["get", "pod", "gated"])).toContain("SchedulingGated");
  const more = [...gates, { name: "example.com/three" }];
  const refused = await cluster.call(
    "PATCH",
    pathOf("default", "gated"),
    { spec: { schedulingGates: more } },
    "application/merge-patch+json",
  );
  expect(refused.status).toBe(422);
  expect(refused.body.message).toContain(
    'only deletion is allowed, but found new scheduling gate "example.com/three"',
  );

  const { body: fewer } = await cluster.patch("default", "Pod", "gated", {
    spec: { schedulingGates: gates.slice(1) },
  });
  expect(fewer.spec.nodeName).toBeUndefined();
  await cluster.patch("default", "Pod", "gated", { spec: { schedulingGates: null } });
  const { spec, status } = await running("default", "gated");
  expect(spec.nodeName).not.toBeUndefined();
  expect(status?.conditions).toContainEqual(
    expect.objectContaining({ type: "PodScheduled", status: "True" }),
  );

  // Nobody has to stop one that never had a node.
  await cluster.create("default", lasting("gated-for-ever", { schedulingGates: gates }));
  await cluster.remove("default", "Pod", "gated-for-ever");
  expect((await cluster.call("GET", pathOf("default", "gated-for-ever"))).status).toBe(404);
});

describe("[sig-node] Pods Extended", () => {
  const resources = { cpu: "100m", memory: "100Mi" };
  test.each([
    ["Guaranteed", { requests: resources, limits: resources }],
    ["Burstable", { requests: resources }],
    ["BestEffort", {}],
  ])(
    "Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu: %s",
    async (qosClass, given) => {
      const name = qosClass.toLowerCase();
      await cluster.create("default", lasting(name, {}, { resources: given }));
      const { body } = await cluster.call("GET", pathOf("default", name));
      expect(body.status.qosClass).toBe(qosClass);
    },
  );

  const change = (name: string, spec: object) =>
    cluster.patch("default", "Pod", name, { spec }).then(({ body }) => body as StoredPod);
  const generations = ({ metadata, status }: StoredPod) => [metadata.generation, status?.observedGeneration];

  test("Pod Generation pod generation should start at 1 and increment per update", async () => {
    const created = await cluster.create<StoredPod>("default", lasting("generations"));
    expect(created.metadata.generation).toBe(1);
    await running("default", "generations");
    const toleration = { key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 100 };
    const { tolerations = [] } = created.spec;
    expect(
      (await change("generations", { tolerations: [...tolerations, toleration] })).metadata.generation,
    ).toBe(2);
    expect((await change("generations", { activeDeadlineSeconds: 1000 })).metadata.generation).toBe(3);
    expect((await change("generations", { activeDeadlineSeconds: 900 })).metadata.generation).toBe(4);
    // What is not specification does not count.
    const { body } = await cluster.patch("default", "Pod", "generations", {
      metadata: { labels: { a: "b" } },
    });
    expect(body.metadata.generation).toBe(4);
    const seen = await cluster.until(
      "default",
      "generations",
      ({ status }) => status?.observedGeneration === 4,
      "observed",
    );
    expect(seen.status?.conditions?.find(({ type }) => type === "Ready")?.observedGeneration).toBe(4);
  });

  test("Pod Generation custom-set generation on new pods and graceful delete", async () => {
    const pod = lasting(
      "own-generation",
      { terminationGracePeriodSeconds: 2 },
      {
        command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.2; done"],
      },
    ) as StoredPod;
    const created = await cluster.create<StoredPod>("default", {
      ...pod,
      metadata: { name: "own-generation", generation: 100 },
    });
    expect(created.metadata.generation).toBe(1);
    await running("default", "own-generation");
    const { body } = await cluster.remove("default", "Pod", "own-generation");
    expect(body.metadata.generation).toBe(2);
    await gone("default", "own-generation");
  });

  test("Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge", async () => {
    await cluster.create("default", lasting("many-updates"));
    await running("default", "many-updates");
    for (let update = 0; update < 500; update++) {
      await change("many-updates", { activeDeadlineSeconds: 5000 - update });
    }
    const pod = await cluster.until(
      "default",
      "many-updates",
      ({ status }) => status?.observedGeneration === 501,
      "observed to the last",
    );
    expect(generations(pod)).toEqual([501, 501]);
  });
});

describe("[sig-node] PodTemplates", () => {
  const path = (namespace: string, name = "") =>
    `/api/v1/namespaces/${namespace}/podtemplates${name && `/${name}`}`;
  const template = (name: string, labels: object) => ({
    apiVersion: "v1",
    kind: "PodTemplate",
    metadata: { name, labels },
    template: {
      metadata: { labels: { app: "nginx" } },
      spec: { containers: [{ name: "nginx", image: "nginx" }] },
    },
  });

  test("should run the lifecycle of PodTemplates", async () => {
    const namespace = await cluster.newNamespace();
    expect((await cluster.call("POST", path(namespace), template("first", { a: "b" }))).status).toBe(201);
    const everywhere = (await cluster.call("GET", "/api/v1/podtemplates?labelSelector=a%3Db")).body.items;
    expect(everywhere).toHaveLength(1);
    const patched = await cluster.call(
      "PATCH",
      path(namespace, "first"),
      { metadata: { labels: { podtemplate: "patched" } } },
      "application/strategic-merge-patch+json",
    );
    expect(patched.body.metadata.labels).toEqual({ a: "b", podtemplate: "patched" });
    expect((await cluster.call("DELETE", path(namespace, "first"))).status).toBe(200);
    expect((await cluster.call("GET", path(namespace))).body.items).toEqual([]);
  });

  test("should delete a collection of pod templates", async () => {
    const namespace = await cluster.newNamespace();
    for (const name of ["a", "b", "c"]) {
      await cluster.call("POST", path(namespace), template(name, { set: "x" }));
    }
    await cluster.call("DELETE", `${path(namespace)}?labelSelector=set%3Dx`);
    expect((await cluster.call("GET", path(namespace))).body.items).toEqual([]);
  });

  test("should replace a pod template", async () => {
    const namespace = await cluster.newNamespace();
    const { body } = await cluster.call("POST", path(namespace), template("replaced", { version: "1" }));
    const answer = await cluster.call("PUT", path(namespace, "replaced"), {
      ...body,
      metadata: { ...body.metadata, annotations: { updated: "true" } },
    });
    expect(answer.body.metadata.annotations).toEqual({ updated: "true" });
  });
});
