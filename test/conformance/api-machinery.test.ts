import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../src/kube/types.ts";
import { type Answer, type Cluster, scriptPod, startCluster } from "../helpers/cluster.ts";
import { eventually } from "../helpers/peapod.ts";

// [sig-api-machinery] and [sig-instrumentation] of Kubernetes' conformance suite, as far as one node has them.

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

const maps = (namespace: string, name = "") =>
  `/api/v1/namespaces/${namespace}/configmaps${name && `/${name}`}`;
const configMap = (name: string, labels: object = {}, data: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels },
  data,
});
const merge = (path: string, change: object) =>
  cluster.call("PATCH", path, change, "application/merge-patch+json");
const version = ({ body }: Answer): string => body.metadata.resourceVersion;

describe("[sig-api-machinery] Watchers", () => {
  /** What a watch of labelled ConfigMaps sees from a version on: `TYPE NAME DATA`. */
  const seen = async (namespace: string, resourceVersion: string, selector = "") => {
    const query = new URLSearchParams({
      watch: "true",
      resourceVersion,
      timeoutSeconds: "1",
      ...(selector === "" ? {} : { labelSelector: selector }),
    });
    const events = await cluster.watch(`${maps(namespace)}?${query}`);
    return events.map(({ type, object }) => {
      const { metadata, data } = object as unknown as KubernetesObject & { data?: { value?: string } };
      return `${type} ${metadata.name} ${data?.value ?? ""}`.trim();
    });
  };

  test("should be able to start watching from a specific resource version", async () => {
    const namespace = await cluster.newNamespace();
    await cluster.create(namespace, configMap("watched"));
    const first = version(await merge(maps(namespace, "watched"), { data: { value: "1" } }));
    await merge(maps(namespace, "watched"), { data: { value: "2" } });
    await cluster.call("DELETE", maps(namespace, "watched"));
    expect(await seen(namespace, first)).toEqual(["MODIFIED watched 2", "DELETED watched 2"]);
  });

  test("should be able to restart watching from the last resource version observed by the previous watch", async () => {
    const namespace = await cluster.newNamespace();
    const from = version(await cluster.call("GET", maps(namespace)));
    await cluster.create(namespace, configMap("restarted"));
    await merge(maps(namespace, "restarted"), { data: { value: "1" } });
    const events = await cluster.watch(
      `${maps(namespace)}?watch=true&resourceVersion=${from}&timeoutSeconds=1`,
    );
    const last = events.at(-1)?.object.metadata.resourceVersion ?? "";
    await merge(maps(namespace, "restarted"), { data: { value: "2" } });
    await cluster.call("DELETE", maps(namespace, "restarted"));
    expect(await seen(namespace, last)).toEqual(["MODIFIED restarted 2", "DELETED restarted 2"]);
  });

  test("should observe add, update, and delete watch notifications on configmaps", async () => {
    const namespace = await cluster.newNamespace();
    const from = version(await cluster.call("GET", maps(namespace)));
    await cluster.create(namespace, configMap("a", { label: "A" }));
    await merge(maps(namespace, "a"), { data: { value: "1" } });
    await cluster.create(namespace, configMap("b", { label: "B" }));
    await cluster.call("DELETE", maps(namespace, "a"));
    await cluster.call("DELETE", maps(namespace, "b"));
    const ofA = ["ADDED a", "MODIFIED a 1", "DELETED a 1"];
    const ofB = ["ADDED b", "DELETED b"];
    expect(await seen(namespace, from, "label=A")).toEqual(ofA);
    expect(await seen(namespace, from, "label=B")).toEqual(ofB);
    expect(await seen(namespace, from, "label in (A, B)")).toEqual([
      ...ofA.slice(0, 2),
      "ADDED b",
      "DELETED a 1",
      "DELETED b",
    ]);
  });

  test("should observe an object deletion if it stops meeting the requirements of the selector", async () => {
    const namespace = await cluster.newNamespace();
    const from = version(await cluster.call("GET", maps(namespace)));
    // The last state that the selector saw is what is deleted for it.
    const label = (value: string, data: string) =>
      merge(maps(namespace, "moved"), { metadata: { labels: { label: value } }, data: { value: data } });
    await cluster.create(namespace, configMap("moved", { label: "in" }));
    await label("in", "1");
    await label("out", "2");
    await label("out", "3");
    await label("in", "4");
    await cluster.call("DELETE", maps(namespace, "moved"));
    expect(await seen(namespace, from, "label=in")).toEqual([
      "ADDED moved",
      "MODIFIED moved 1",
      "DELETED moved 1",
      "ADDED moved 4",
      "DELETED moved 4",
    ]);
  });

  test("should receive events on concurrent watches in same order", async () => {
    const namespace = await cluster.newNamespace();
    const from = version(await cluster.call("GET", maps(namespace)));
    const watches = Array.from({ length: 5 }, () => seen(namespace, from));
    for (let at = 0; at < 20; at++) {
      await cluster.create(namespace, configMap(`map-${at}`));
      if (at % 3 === 0) await merge(maps(namespace, `map-${at}`), { data: { value: "1" } });
      if (at % 2 === 0) await cluster.call("DELETE", maps(namespace, `map-${at}`));
    }
    watches.push(seen(namespace, from));
    const all = await Promise.all(watches);
    const [longest = []] = [...all].sort((a, b) => b.length - a.length);
    expect(longest).toHaveLength(20 + 7 + 10);
    for (const one of all) expect(longest.slice(0, one.length)).toEqual(one);
  });
});

describe("[sig-api-machinery] Servers with support for API chunking", () => {
  const page = async (namespace: string, limit: number, token = "") =>
    (
      await cluster.call(
        "GET",
        `/api/v1/namespaces/${namespace}/podtemplates?limit=${limit}&continue=${token}`,
      )
    ).body;

  test("should return chunks of results for list calls", async () => {
    const namespace = await cluster.newNamespace();
    for (let at = 0; at < 40; at++) {
      await cluster.call("POST", `/api/v1/namespaces/${namespace}/podtemplates`, {
        apiVersion: "v1",
        kind: "PodTemplate",
        metadata: { name: `template-${String(at).padStart(4, "0")}` },
        template: { spec: { containers: [{ name: "test", image: "test2" }] } },
      });
    }
    const names: string[] = [];
    let first = "";
    let token = "";
    do {
      const { items, metadata } = await page(namespace, 17, token);
      first ||= metadata.resourceVersion;
      expect(metadata.resourceVersion).toBe(first);
      names.push(...items.map((item: KubernetesObject) => item.metadata.name));
      if (metadata.continue) expect(metadata.remainingItemCount).toBe(40 - names.length);
      token = metadata.continue ?? "";
    } while (token !== "");
    expect(names).toEqual(Array.from({ length: 40 }, (_, at) => `template-${String(at).padStart(4, "0")}`));
  });
});

describe("[sig-api-machinery] server version", () => {
  test("should find the server version", async () => {
    const { body } = await cluster.call("GET", "/version");
    expect(body.major).toMatch(/^\d+$/);
    expect(body.minor).toMatch(/^\d+$/);
  });
});

describe("[sig-api-machinery] Discovery", () => {
  test("should validate PreferredVersion for each APIGroup", async () => {
    const { groups } = (await cluster.call("GET", "/apis")).body;
    expect(groups.length).toBeGreaterThan(5);
    for (const { name, versions, preferredVersion } of groups) {
      const { body } = await cluster.call("GET", `/apis/${name}`);
      expect(body.preferredVersion).toEqual(preferredVersion);
      expect(versions).toContainEqual(preferredVersion);
    }
  });

  test("should locate the groupVersion and a resource within each APIGroup", async () => {
    for (const [path, groupVersion, name] of [
      ["/apis/apps/v1", "apps/v1", "deployments"],
      ["/apis/batch/v1", "batch/v1", "jobs"],
      ["/apis/coordination.k8s.io/v1", "coordination.k8s.io/v1", "leases"],
      ["/apis/discovery.k8s.io/v1", "discovery.k8s.io/v1", "endpointslices"],
      ["/apis/rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1", "clusterroles"],
      ["/api/v1", "v1", "pods"],
    ]) {
      const { body } = await cluster.call("GET", path ?? "");
      expect(body.groupVersion).toBe(groupVersion);
      expect(body.resources).toContainEqual(expect.objectContaining({ name }));
    }
  });
});

describe("[sig-api-machinery] FieldValidation", () => {
  const strict = "?fieldValidation=Strict";

  test("should detect unknown and duplicate fields of a typed object", async () => {
    const deployment = `{
      "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "typed"},
      "spec": {
        "unknown1": "val1", "paused": true, "paused": true,
        "selector": {"matchLabels": {"app": "nginx"}},
        "template": {"metadata": {"labels": {"app": "nginx"}},
          "spec": {"containers": [{"name": "nginx", "image": "nginx:latest", "unknownNested": "val"}]}}
      }}`;
    const url = "/apis/apps/v1/namespaces/default/deployments";
    const answer = await cluster.call("POST", `${url}${strict}`, deployment);
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain('unknown field "spec.unknown1"');
    expect(answer.body.message).toContain('duplicate field "spec.paused"');
    expect(answer.body.message).toContain('unknown field "spec.template.spec.containers[0].unknownNested"');
  });

  test("should detect unknown metadata fields of a typed object", async () => {
    const body = { ...configMap("meta"), metadata: { name: "meta", unknownMeta: "x" } };
    const answer = await cluster.call("POST", `${maps("default")}${strict}`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain('unknown field "metadata.unknownMeta"');
  });
});

describe("[sig-node] objects of the cluster", () => {
  /** Made, listed, changed in three ways and deleted, as the suite does with every kind. */
  async function liveAndDie(path: string, object: object, change: object): Promise<void> {
    const created = await cluster.call("POST", path, object);
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    const { name } = created.body.metadata;
    const patched = await merge(`${path}/${name}`, { metadata: { labels: { state: "patched" } } });
    expect(patched.body.metadata.labels).toMatchObject({ state: "patched" });
    const listed = (await cluster.call("GET", `${path}?labelSelector=state%3Dpatched`)).body.items;
    expect(listed).toHaveLength(1);
    const updated = await cluster.call("PUT", `${path}/${name}`, { ...patched.body, ...change });
    expect(updated.status, JSON.stringify(updated.body)).toBe(200);
    expect(updated.body).toMatchObject(change);
    expect((await cluster.call("DELETE", `${path}?labelSelector=state%3Dpatched`)).status).toBe(200);
    expect((await cluster.call("GET", `${path}/${name}`)).status).toBe(404);
  }

  test("Lease lease API should be available", () =>
    liveAndDie(
      "/apis/coordination.k8s.io/v1/namespaces/default/leases",
      {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { name: "lease" },
        spec: {
          holderIdentity: "holder",
          leaseDurationSeconds: 30,
          renewTime: "2026-01-02T03:04:05.000000Z",
        },
      },
      { spec: { holderIdentity: "holder2", leaseDurationSeconds: 60 } },
    ));

  test("RuntimeClass should support RuntimeClasses API operations", () =>
    liveAndDie(
      "/apis/node.k8s.io/v1/runtimeclasses",
      {
        apiVersion: "node.k8s.io/v1",
        kind: "RuntimeClass",
        metadata: { name: "operations" },
        handler: "crun",
      },
      { metadata: { name: "operations", labels: { state: "patched" }, annotations: { updated: "yes" } } },
    ));
});

describe("[sig-api-machinery] Garbage collector", () => {
  test("should not be blocked by dependency circle", async () => {
    const namespace = await cluster.newNamespace();
    const names = ["pod1", "pod2", "pod3"];
    const uids: string[] = [];
    for (const name of names) {
      const pod = await cluster.create<KubernetesObject>(
        namespace,
        scriptPod(name, "trap exit TERM; sleep infinity & wait"),
      );
      uids.push(pod.metadata.uid);
    }
    for (const [at, name] of names.entries()) {
      const owner = (at + 2) % 3;
      await cluster.patch(namespace, "Pod", name, {
        metadata: {
          ownerReferences: [
            { apiVersion: "v1", kind: "Pod", name: names[owner], uid: uids[owner], blockOwnerDeletion: true },
          ],
        },
      });
    }
    await cluster.call("DELETE", `/api/v1/namespaces/${namespace}/pods/pod1`, {
      propagationPolicy: "Foreground",
    });
    await eventually(async () => {
      const { body } = await cluster.call("GET", `/api/v1/namespaces/${namespace}/pods`);
      return body.items.length === 0 ? true : undefined;
    }, "all three are gone");
  });
});

describe("[sig-api-machinery] Namespaces", () => {
  test("should ensure that all pods are removed when a namespace is deleted", async () => {
    const namespace = await cluster.newNamespace();
    await cluster.create(namespace, scriptPod("in-namespace", "trap exit TERM; sleep infinity & wait"));
    await cluster.until(namespace, "in-namespace", ({ status }) => status?.phase === "Running", "running");
    await cluster.call("DELETE", `/api/v1/namespaces/${namespace}`);
    await gone(`/api/v1/namespaces/${namespace}`);
    const again = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
    await cluster.create("", again);
    expect((await cluster.call("GET", `/api/v1/namespaces/${namespace}/pods`)).body.items).toEqual([]);
  });

  test("OrderedNamespaceDeletion namespace deletion should delete pod first", async () => {
    const namespace = await cluster.newNamespace();
    const pod = scriptPod("held", "trap exit TERM; sleep infinity & wait") as { metadata: object };
    await cluster.create(namespace, {
      ...pod,
      metadata: { name: "held", finalizers: ["test.peapod.dev/held"] },
    });
    await cluster.create(namespace, configMap("beside"));
    await cluster.call("DELETE", `/api/v1/namespaces/${namespace}`);
    await cluster.until(
      namespace,
      "held",
      ({ metadata }) => metadata.deletionGracePeriodSeconds === 0,
      "held by its finalizer alone",
    );
    // What the pod may still need is there until the pod has gone.
    expect((await cluster.call("GET", maps(namespace, "beside"))).status).toBe(200);
    await cluster.patch(namespace, "Pod", "held", { metadata: { finalizers: null } });
    await gone(`/api/v1/namespaces/${namespace}`);
  });
});

describe("[sig-instrumentation] Events", () => {
  const event = (name: string, namespace: string, labels: object) => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace, labels },
    involvedObject: { namespace, kind: "Pod", name: "somebody" },
    reason: "Test",
    message: `This is ${name}`,
    type: "Normal",
    count: 1,
  });
  const newEvent = (name: string, namespace: string, labels: object) => ({
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name, namespace, labels },
    regarding: { namespace, kind: "Pod", name: "somebody" },
    action: "Do",
    reason: "Test",
    type: "Normal",
    note: `This is ${name}`,
    eventTime: "2026-01-02T03:04:05.678901Z",
    reportingController: "test-controller",
    reportingInstance: "test-node",
  });

  describe.each([
    ["Events should manage the lifecycle of an event", "/api/v1", event, "message"],
    [
      "Events API should ensure that an event can be fetched, patched, deleted, and listed",
      "/apis/events.k8s.io/v1",
      newEvent,
      "note",
    ],
  ] as const)("%s", (_name, base, make, text) => {
    test("each in its turn", async () => {
      const namespace = await cluster.newNamespace();
      const path = `${base}/namespaces/${namespace}/events`;
      expect((await cluster.call("POST", path, make("first", namespace, { set: "a" }))).status).toBe(201);
      const listed = (await cluster.call("GET", `${base}/events?labelSelector=set%3Da`)).body.items;
      expect(listed.filter((each: KubernetesObject) => each.metadata.namespace === namespace)).toHaveLength(
        1,
      );
      await cluster.call(
        "PATCH",
        `${path}/first`,
        { [text]: "changed" },
        "application/strategic-merge-patch+json",
      );
      const { body } = await cluster.call("GET", `${path}/first`);
      expect(body[text]).toBe("changed");
      const series = { count: 2, lastObservedTime: "2026-01-02T03:04:06.000001Z" };
      expect((await cluster.call("PUT", `${path}/first`, { ...body, series })).body.series).toEqual(series);
      expect((await cluster.call("DELETE", `${path}/first`)).status).toBe(200);
      expect((await cluster.call("GET", path)).body.items).toEqual([]);
    });
  });

  test.each([
    ["Events should delete a collection of events", "/api/v1", event],
    ["Events API should delete a collection of events", "/apis/events.k8s.io/v1", newEvent],
  ] as const)("%s", async (_name, base, make) => {
    const namespace = await cluster.newNamespace();
    const path = `${base}/namespaces/${namespace}/events`;
    for (const name of ["a", "b", "c"]) {
      expect((await cluster.call("POST", path, make(name, namespace, { set: "x" }))).status).toBe(201);
    }
    await cluster.call("POST", path, make("other", namespace, {}));
    await cluster.call("DELETE", `${path}?labelSelector=set%3Dx`);
    const left = (await cluster.call("GET", path)).body.items as KubernetesObject[];
    expect(left.map(({ metadata }) => metadata.name)).toEqual(["other"]);
  });
});

/** Resolves once the API says that there is nothing at the path. */
const gone = (path: string) =>
  eventually(
    async () => ((await cluster.call("GET", path)).status === 404 ? true : undefined),
    `${path} is gone`,
  );
