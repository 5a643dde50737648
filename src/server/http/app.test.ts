import { describe, expect, onTestFinished, test } from "vitest";
import type { Channel } from "../../channels/types.ts";
import { openStore } from "../../store/sqlite-store.ts";
import { socketUser } from "../access/user.ts";
import { FakeNode, fakeContext } from "../fake-node.ts";
import { createApp } from "./app.ts";

const table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const podsURL = "/api/v1/namespaces/default/pods";

function open(node = new FakeNode()) {
  const store = openStore(":memory:");
  onTestFinished(() => store.close());
  const context = fakeContext(store, node);
  const app = createApp(context, { version: "0.1.0", ready: () => true, admit: () => socketUser });
  const call = async (method: string, url: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await app.inject({
      method: method as "GET",
      url,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { payload: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return {
      code: answer.statusCode,
      body: answer.body === "ok" ? "ok" : answer.json(),
      headers: answer.headers,
    };
  };
  return { store, context, call };
}

function pod(name: string, spec: object = {}, metadata: object = {}) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, ...metadata },
    spec: { containers: [{ name: "main", image: "alpine" }], ...spec },
  };
}

describe("create", () => {
  test("stores the pod, defaulted, pending and bound to this node", async () => {
    const { call } = open();
    const { code, body } = await call("POST", podsURL, pod("a"));
    expect(code).toBe(201);
    expect(body).toMatchObject({
      metadata: { name: "a", namespace: "default", generation: 1 },
      spec: { nodeName: "here", restartPolicy: "Always", terminationGracePeriodSeconds: 30 },
      status: { phase: "Pending", qosClass: "BestEffort" },
    });
    expect((await call("GET", `${podsURL}/a`)).body).toEqual(body);
  });

  test("reads YAML as Kubernetes does, KYAML too", async () => {
    const { call } = open();
    const yaml =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: kyaml}\nspec:\n  containers:\n  - {name: c, image: alpine, args: ['1']}\n";
    const { code, body } = await call("POST", podsURL, yaml, { "content-type": "application/yaml" });
    expect(code).toBe(201);
    expect(body.spec.containers[0].args).toEqual(["1"]);
    const broken = await call("POST", podsURL, "a: [", { "content-type": "application/yaml" });
    expect(broken).toMatchObject({ code: 400, body: { reason: "BadRequest" } });
  });

  test("an invalid pod is answered with every cause", async () => {
    const { call } = open();
    const { code, body } = await call("POST", podsURL, pod("A_b", { containers: [{ name: "main" }] }));
    expect(code).toBe(422);
    expect(body).toMatchObject({ kind: "Status", status: "Failure", reason: "Invalid", code: 422 });
    expect(body.message).toMatch(/^Pod "A_b" is invalid: \[/);
    expect(body.details.causes.map((cause: { field: string }) => cause.field)).toEqual([
      "metadata.name",
      "spec.containers[0].image",
    ]);
  });

  test("fieldValidation decides about unknown fields", async () => {
    const { call } = open();
    const misspelt = pod("a", { restartPolcy: "Never" });
    const strict = await call("POST", `${podsURL}?fieldValidation=Strict`, misspelt);
    expect(strict.code).toBe(400);
    expect(strict.body.message).toContain('strict decoding error: unknown field "spec.restartPolcy"');
    const warned = await call("POST", `${podsURL}?fieldValidation=Warn&dryRun=All`, misspelt);
    expect(warned.code).toBe(201);
    expect(warned.headers.warning).toContain('299 - "unknown field \\"spec.restartPolcy\\""');
    const ignored = await call("POST", `${podsURL}?fieldValidation=Ignore`, misspelt);
    expect(ignored.headers.warning).toBeUndefined();
    expect(ignored.body.spec).not.toHaveProperty("restartPolcy");
    expect((await call("POST", `${podsURL}?fieldValidation=Maybe`, misspelt)).code).toBe(400);
  });

  test("generates names, rehearses, and refuses what is in the way", async () => {
    const { call } = open();
    const generated = await call("POST", podsURL, pod(undefined as never, {}, { generateName: "job-" }));
    expect(generated.body.metadata.name).toMatch(/^job-[a-z0-9]{5}$/);
    await call("POST", `${podsURL}?dryRun=All`, pod("a"));
    expect((await call("GET", `${podsURL}/a`)).code).toBe(404);
    await call("POST", podsURL, pod("a"));
    for (const query of ["", "?dryRun=All"]) {
      const taken = await call("POST", podsURL + query, pod("a"));
      expect(taken).toMatchObject({
        code: 409,
        body: { reason: "AlreadyExists", message: 'pods "a" already exists' },
      });
    }
    const nowhere = await call("POST", "/api/v1/namespaces/nope/pods", pod("a"));
    expect(nowhere).toMatchObject({ code: 404, body: { message: 'namespaces "nope" not found' } });
    const elsewhere = await call("POST", podsURL, pod("b", {}, { namespace: "kube-system" }));
    expect(elsewhere).toMatchObject({ code: 400, body: { reason: "BadRequest" } });
    expect(await call("POST", podsURL, { ...pod("b"), kind: "Node" })).toMatchObject({ code: 400 });
  });
});

describe("list", () => {
  test("selects by label and field, over one or all namespaces", async () => {
    const { call } = open();
    await call("POST", podsURL, pod("a", {}, { labels: { app: "web" } }));
    await call("POST", podsURL, pod("b"));
    await call("POST", "/api/v1/namespaces/kube-system/pods", pod("c", {}, { labels: { app: "web" } }));
    const names = async (url: string) =>
      (await call("GET", url)).body.items.map(
        ({ metadata }: { metadata: { name: string } }) => metadata.name,
      );
    expect(await names("/api/v1/pods")).toEqual(["a", "b", "c"]);
    expect(await names(`${podsURL}?labelSelector=app%3Dweb`)).toEqual(["a"]);
    expect(
      await names("/api/v1/pods?fieldSelector=metadata.namespace%3Dkube-system,status.phase%3DPending"),
    ).toEqual(["c"]);
    expect((await call("GET", `${podsURL}?fieldSelector=spec.foo%3Da`)).body.message).toContain(
      "field label not supported: spec.foo",
    );
  });

  test("comes in parts that show one state", async () => {
    const { call } = open();
    for (const name of ["a", "b", "c"]) await call("POST", podsURL, pod(name));
    const first = (await call("GET", `${podsURL}?limit=2`)).body;
    expect(first.metadata).toMatchObject({ remainingItemCount: 1, continue: expect.any(String) });
    await call("DELETE", `${podsURL}/c?gracePeriodSeconds=0`);
    const rest = (await call("GET", `${podsURL}?limit=2&continue=${first.metadata.continue}`)).body;
    expect(rest.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(["c"]);
    expect(rest.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
    expect((await call("GET", `${podsURL}?continue=nonsense`)).code).toBe(400);
  });

  test("is a Table where the client wants one", async () => {
    const { call } = open();
    await call("POST", podsURL, pod("a"));
    const { body } = await call("GET", podsURL, undefined, { accept: table });
    expect(body).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
    const shown = body.columnDefinitions.filter((column: { priority: number }) => column.priority === 0);
    expect(shown.map(({ name }: { name: string }) => name)).toEqual([
      "Name",
      "Ready",
      "Status",
      "Restarts",
      "Age",
    ]);
    expect(body.rows[0].cells.slice(0, 4)).toEqual(["a", "0/1", "Pending", "0"]);
    expect(body.rows[0].object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "a" } });
    const one = await call("GET", `${podsURL}/a`, undefined, { accept: table });
    expect(one.body.rows).toHaveLength(1);
    expect((await call("GET", podsURL, undefined, { accept: "application/xml" })).code).toBe(406);
  });
});

describe("update and patch", () => {
  const patch = (type: string) => ({ "content-type": `application/${type}+json` });

  test("only what a real API server lets change", async () => {
    const { call } = open();
    const { body: created } = await call("POST", podsURL, pod("a"));
    const relabelled = await call("PUT", `${podsURL}/a`, {
      ...created,
      metadata: { ...created.metadata, labels: { app: "web" } },
      spec: { ...created.spec, containers: [{ ...created.spec.containers[0], image: "alpine:3" }] },
      status: { phase: "Succeeded" },
    });
    expect(relabelled).toMatchObject({
      code: 200,
      body: { metadata: { labels: { app: "web" }, generation: 2 }, status: { phase: "Pending" } },
    });
    const stale = await call("PUT", `${podsURL}/a`, created);
    expect(stale).toMatchObject({ code: 409, body: { reason: "Conflict" } });
    const other = await call("PUT", `${podsURL}/a`, {
      ...relabelled.body,
      metadata: { ...relabelled.body.metadata, uid: "x" },
    });
    expect(other.body.message).toContain("Precondition failed: UID in precondition: x");
    const forbidden = await call(
      "PATCH",
      `${podsURL}/a`,
      { spec: { restartPolicy: "Never" } },
      patch("merge-patch"),
    );
    expect(forbidden.code).toBe(422);
    expect(forbidden.body.message).toContain("pod updates may not change fields other than");
  });

  test("three kinds of patch, and status by itself", async () => {
    const { call } = open();
    await call("POST", podsURL, pod("a"));
    const containers = [{ name: "main", image: "busybox" }];
    const strategic = await call(
      "PATCH",
      `${podsURL}/a`,
      { spec: { containers } },
      patch("strategic-merge-patch"),
    );
    expect(strategic.body.spec.containers[0]).toMatchObject({ image: "busybox", imagePullPolicy: "Always" });
    const json = await call(
      "PATCH",
      `${podsURL}/a`,
      [{ op: "add", path: "/metadata/labels", value: { a: "b" } }],
      patch("json-patch"),
    );
    expect(json.body.metadata.labels).toEqual({ a: "b" });
    const status = await call(
      "PATCH",
      `${podsURL}/a/status`,
      { status: { phase: "Running" } },
      patch("merge-patch"),
    );
    expect(status.body.status).toMatchObject({ phase: "Running", qosClass: "BestEffort" });
    const { body } = await call("GET", `${podsURL}/a/status`);
    const put = await call("PUT", `${podsURL}/a/status`, { ...body, status: { phase: "Failed" }, spec: {} });
    expect(put.body).toMatchObject({ status: { phase: "Failed" }, spec: { nodeName: "here" } });
    expect((await call("PATCH", `${podsURL}/a`, {}, patch("apply-patch"))).code).toBe(415);
  });
});

describe("delete", () => {
  test("waits for the node with a time of death, which later deletions only bring forward", async () => {
    const { call } = open();
    await call("POST", podsURL, pod("a"));
    const first = await call("DELETE", `${podsURL}/a`);
    expect(first).toMatchObject({
      code: 200,
      body: { metadata: { deletionGracePeriodSeconds: 30, generation: 2 } },
    });
    const longer = await call("DELETE", `${podsURL}/a`, { gracePeriodSeconds: 60 });
    expect(longer.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    const shorter = await call("DELETE", `${podsURL}/a?gracePeriodSeconds=5`);
    expect(shorter.body.metadata.deletionGracePeriodSeconds).toBe(5);
    const moved =
      Date.parse(first.body.metadata.deletionTimestamp) - Date.parse(shorter.body.metadata.deletionTimestamp);
    expect(moved).toBe(25_000);
    await call("DELETE", `${podsURL}/a`, { gracePeriodSeconds: 0 });
    expect((await call("GET", `${podsURL}/a`)).code).toBe(404);
  });

  test("preconditions, rehearsal and finalizers hold it back", async () => {
    const { call } = open();
    const { body } = await call("POST", podsURL, pod("a", {}, { finalizers: ["example.com/wait"] }));
    const wrong = await call("DELETE", `${podsURL}/a`, { preconditions: { uid: "other" } });
    expect(wrong).toMatchObject({ code: 409, body: { reason: "Conflict" } });
    await call("DELETE", `${podsURL}/a?dryRun=All`);
    expect((await call("GET", `${podsURL}/a`)).body).toEqual(body);
    const waiting = await call("DELETE", `${podsURL}/a?gracePeriodSeconds=0`);
    expect(waiting.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0 });
    expect((await call("GET", `${podsURL}/a`)).code).toBe(200);
    const headers = { "content-type": "application/merge-patch+json" };
    await call("PATCH", `${podsURL}/a`, { metadata: { finalizers: null } }, headers);
    expect((await call("GET", `${podsURL}/a`)).code).toBe(404);
  });

  test("pods that have ended go at once, collections by selector", async () => {
    const { call, store } = open();
    for (const name of ["a", "b"]) await call("POST", podsURL, pod(name, {}, { labels: { name } }));
    store.update({ resource: "pods", namespace: "default", name: "a" }, (current) => ({
      ...current,
      status: { phase: "Failed" },
    }));
    const { body } = await call("DELETE", `${podsURL}?labelSelector=name%3Da`);
    expect(body).toMatchObject({ kind: "PodList", items: [{ metadata: { name: "a" } }] });
    expect((await call("GET", podsURL)).body.items).toHaveLength(1);
  });
});

describe("the rest of the API", () => {
  test("discovery, version and health", async () => {
    const { call } = open();
    expect((await call("GET", "/api")).body).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    expect((await call("GET", "/apis")).body.groups).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: "peapod.dev" })]),
    );
    const { body } = await call("GET", "/api/v1");
    const names = body.resources.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["pods", "pods/log", "pods/exec", "pods/status", "nodes/status", "events"]),
    );
    expect((await call("GET", "/apis/peapod.dev/v1alpha1")).body.groupVersion).toBe("peapod.dev/v1alpha1");
    expect((await call("GET", "/version")).body).toMatchObject({ major: "1", peapodVersion: "0.1.0" });
    for (const path of ["/healthz", "/livez", "/readyz"]) expect((await call("GET", path)).body).toBe("ok");
  });

  test("failures are always a Status", async () => {
    const { call } = open();
    expect(await call("GET", "/api/v1/nothing")).toMatchObject({
      code: 404,
      body: { kind: "Status", reason: "NotFound" },
    });
    expect(await call("DELETE", "/api/v1/nodes/here")).toMatchObject({
      code: 405,
      body: { reason: "MethodNotAllowed" },
    });
    expect(await call("POST", podsURL, "{")).toMatchObject({ code: 400, body: { reason: "BadRequest" } });
    const large = await call("POST", podsURL, "x".repeat(3 * 1024 * 1024 + 1));
    expect(large).toMatchObject({ code: 413, body: { reason: "RequestEntityTooLarge" } });
    const exec = await call("POST", `${podsURL}/a/exec?command=ls&stdout=1`);
    expect(exec.body.message).toContain("Upgrade request required");
  });

  test("channels come from the observer, with the evidence that is missing", async () => {
    const node = new FakeNode();
    node.observed = {
      channels: [channel],
      missing: [{ layer: "socket accounting", reason: "no kernel support" }],
    };
    const { call } = open(node);
    const url = "/apis/peapod.dev/v1alpha1/namespaces/default/channels";
    const { body } = await call("GET", url, undefined, { accept: table });
    expect(body.rows[0].cells).toEqual([
      "web",
      "b",
      "a",
      "TCP",
      "127.0.0.1:8080",
      "Active",
      "780B",
      "1.7KiB",
      "declared",
      expect.any(String),
      "",
      "",
      "",
      "",
    ]);
    expect(JSON.parse(body.metadata.annotations["peapod.dev/missing-evidence"])).toEqual(
      node.observed.missing,
    );
    expect((await call("GET", `${url}/web-tcp`)).body).toEqual(channel);
    expect((await call("GET", `${url}?fieldSelector=spec.type%3DFIFO`)).body.items).toEqual([]);
    expect((await call("GET", `${url}/x`)).body.message).toBe('channels.peapod.dev "x" not found');
  });

  test("events are stored and shown as kubectl shows them", async () => {
    const { call } = open();
    const involvedObject = { kind: "Pod", name: "a", namespace: "default" };
    const metadata = { name: "a.1" };
    const sent = {
      metadata,
      involvedObject,
      reason: "Pulled",
      message: "got it\n",
      type: "Normal",
      count: 2,
    };
    expect((await call("POST", "/api/v1/namespaces/default/events", sent)).code).toBe(201);
    const { body } = await call("GET", "/api/v1/events?fieldSelector=involvedObject.name%3Da", undefined, {
      accept: table,
    });
    expect(body.rows[0].cells.slice(1, 4)).toEqual(["Normal", "Pulled", "pod/a"]);
    const gone = await call("DELETE", "/api/v1/namespaces/default/events/a.1");
    expect(gone.body).toMatchObject({
      kind: "Status",
      status: "Success",
      details: { name: "a.1", kind: "events" },
    });
  });

  test("images are loaded, listed and removed", async () => {
    const { call } = open();
    const url = "/apis/peapod.dev/v1alpha1/images";
    const loaded = await call("POST", url, { spec: { source: "oci:/tmp/alpine" } });
    expect(loaded).toMatchObject({
      code: 201,
      body: { kind: "Image", status: { names: ["oci:/tmp/alpine:latest"] } },
    });
    expect((await call("GET", url)).body.items).toHaveLength(1);
    const name = encodeURIComponent(loaded.body.metadata.name);
    expect((await call("DELETE", `${url}/${name}`)).code).toBe(200);
    expect((await call("DELETE", `${url}/${name}`)).code).toBe(404);
  });
});

const channel: Channel = {
  apiVersion: "peapod.dev/v1alpha1",
  kind: "Channel",
  metadata: {
    name: "web-tcp",
    namespace: "default",
    labels: { "peapod.dev/pod": "web" },
    creationTimestamp: "2026-11-22T23:00:00Z",
  },
  spec: {
    pod: "web",
    podUID: "u",
    type: "TCP",
    scope: "InterContainer",
    address: "127.0.0.1:8080",
    port: 8080,
  },
  status: {
    state: "Active",
    needsPort: true,
    declared: true,
    endpoints: [
      { container: "a", role: "Server" },
      { container: "b", role: "Client" },
    ],
    traffic: { clientToServer: { bytes: 780 }, serverToClient: { bytes: 1730 } },
    firstSeen: "2026-11-22T23:00:00Z",
    lastSeen: "2026-11-22T23:01:00Z",
    evidence: [],
  },
};
