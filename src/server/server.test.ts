import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { quietScope } from "../base/scope.ts";
import type { Channel } from "../channels/types.ts";
import { openStore } from "../store/sqlite-store.ts";
import { FakeImages, FakeNode, fakeTokenKey } from "./fake-node.ts";
import { startServer } from "./server.ts";

async function serve(node = new FakeNode()) {
  const folder = mkdtempSync(join(tmpdir(), "peapod-api-"));
  const socketPath = join(folder, "api.sock");
  const store = openStore(":memory:");
  // What a daemon that was killed leaves behind.
  writeFileSync(socketPath, "");
  const options = {
    socketPath,
    store,
    streams: node,
    channels: node,
    images: new FakeImages(),
    nodeName: "here",
  };
  const server = await startServer({
    ...options,
    tokenKey: fakeTokenKey(),
    ready: () => true,
    version: "0.1.0",
    scope: quietScope(),
  });
  onTestFinished(async () => {
    await server.close();
    store.close();
    rmSync(folder, { recursive: true });
  });

  const send = (method: string, path: string, body?: object) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      const sent = request({ socketPath, method, path, headers }, resolve).on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const json = async (method: string, path: string, body?: object) =>
    JSON.parse(await text(await send(method, path, body)));
  return { folder, socketPath, store, server, node, send, json };
}

async function text(response: IncomingMessage): Promise<string> {
  let whole = "";
  for await (const chunk of response.setEncoding("utf8")) whole += chunk;
  return whole;
}

function pod(name: string) {
  const spec = { containers: [{ name: "main", image: "alpine" }] };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, labels: { name } }, spec };
}

const podsURL = "/api/v1/namespaces/default/pods";

/** Frames of a watch, taken one by one. */
function frames(response: IncomingMessage) {
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { value, done } = await lines.next();
      if (done === true) return undefined;
      const { type, object } = JSON.parse(value);
      return `${type} ${object.metadata.name ?? object.metadata.annotations?.["k8s.io/initial-events-end"] ?? object.reason}`;
    },
  };
}

describe("the socket", () => {
  test("is the owner's alone, replaces a stale one, and goes when the server closes", async () => {
    const { folder, socketPath, server, json } = await serve();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["api.sock"]);
    expect(await json("GET", "/api/v1/namespaces")).toMatchObject({
      items: [{ metadata: { name: "default" } }, { metadata: { name: "kube-system" } }],
    });
    await server.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("watch", () => {
  test("begins with what is there, goes on with what changes, and ends with the server", async () => {
    const { json, send, server } = await serve();
    await json("POST", podsURL, pod("a"));
    const watch = frames(await send("GET", `${podsURL}?watch=1&labelSelector=name%20in%20(a,c)`));
    expect(await watch.next()).toBe("ADDED a");
    await json("POST", podsURL, pod("b"));
    await json("POST", podsURL, pod("c"));
    expect(await watch.next()).toBe("ADDED c");
    await json("DELETE", `${podsURL}/a`);
    expect(await watch.next()).toBe("MODIFIED a");
    await json("DELETE", `${podsURL}/a?gracePeriodSeconds=0`);
    expect(await watch.next()).toBe("DELETED a");
    await server.close();
    expect(await watch.next()).toBeUndefined();
  });

  test("goes on from a list without a gap, and has its head before the first change", async () => {
    const { json, send } = await serve();
    const { metadata } = await json("GET", podsURL);
    const response = await send("GET", `${podsURL}?watch=true&resourceVersion=${metadata.resourceVersion}`);
    expect(response.statusCode).toBe(200);
    const watch = frames(response);
    await json("POST", podsURL, pod("a"));
    expect(await watch.next()).toBe("ADDED a");
    response.destroy();
  });

  test("streams the list where it is asked to, with a bookmark at its end", async () => {
    const { json, send } = await serve();
    await json("POST", podsURL, pod("a"));
    const query = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";
    const watch = frames(await send("GET", `${podsURL}?${query}&timeoutSeconds=1`));
    expect(await watch.next()).toBe("ADDED a");
    expect(await watch.next()).toBe("BOOKMARK true");
    const refused = await json("GET", `${podsURL}?watch=1&sendInitialEvents=true`);
    expect(refused).toMatchObject({ code: 422, reason: "Invalid" });
  });

  test("a version that is not known is an ERROR frame with 410", async () => {
    const { send } = await serve();
    const watch = frames(await send("GET", `${podsURL}?watch=1&resourceVersion=99999`));
    expect(await watch.next()).toBe("ERROR Expired");
    expect(await watch.next()).toBeUndefined();
  });

  test("shows tables, with columns once", async () => {
    const { json, socketPath } = await serve();
    await json("POST", podsURL, pod("a"));
    await json("POST", podsURL, pod("b"));
    const response = await new Promise<IncomingMessage>((resolve) => {
      const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
      request({ socketPath, path: `${podsURL}?watch=1&timeoutSeconds=1`, headers }, resolve).end();
    });
    const [first, second] = (await text(response))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).object);
    expect(first.columnDefinitions).toHaveLength(9);
    expect(second).toMatchObject({
      kind: "Table",
      columnDefinitions: [],
      rows: [{ cells: expect.arrayContaining(["b"]) }],
    });
  });
});

describe("namespaces", () => {
  test("a deleted one first waits for its pods, takes nothing new, then goes with all that is in it", async () => {
    const { json, send, store } = await serve();
    await json("POST", "/api/v1/namespaces", { metadata: { name: "team" } });
    await json("POST", "/api/v1/namespaces/team/pods", pod("a"));
    const involvedObject = { namespace: "team", kind: "Pod", name: "a" };
    await json("POST", "/api/v1/namespaces/team/events", { metadata: { name: "e" }, involvedObject });
    const watch = frames(await send("GET", "/api/v1/pods?watch=1"));
    expect(await watch.next()).toBe("ADDED a");
    const deleted = await json("DELETE", "/api/v1/namespaces/team");
    expect(deleted.status.phase).toBe("Terminating");
    expect(await watch.next()).toBe("MODIFIED a");
    expect(await json("POST", "/api/v1/namespaces/team/pods", pod("b"))).toMatchObject({
      code: 403,
      details: { causes: [{ reason: "NamespaceTerminating" }] },
    });

    const gone = frames(await send("GET", "/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Dteam"));
    expect(await gone.next()).toBe("ADDED team");
    // The node agent's part: the pod has ended.
    store.delete({ resource: "pods", namespace: "team", name: "a" });
    expect(await gone.next()).toBe("DELETED team");
    expect(store.list("events").items).toEqual([]);
  });

  test("the permanent ones stay", async () => {
    const { json } = await serve();
    expect(await json("DELETE", "/api/v1/namespaces/default")).toMatchObject({
      code: 403,
      reason: "Forbidden",
    });
  });
});

describe("log", () => {
  test("passes the options on and streams what comes", async () => {
    const { json, send, node } = await serve();
    await json("POST", podsURL, pod("a"));
    node.log = async function* () {
      yield Buffer.from("one\n");
      yield Buffer.from("two\n");
    };
    const query =
      "follow=true&timestamps=1&tailLines=5&limitBytes=100&stream=Stderr&previous=true&sinceTime=2026-01-01T00:00:00Z";
    const response = await send("GET", `${podsURL}/a/log?${query}`);
    expect(response.headers["content-type"]).toBe("text/plain");
    expect(await text(response)).toBe("one\ntwo\n");
    expect(node.asked).toMatchObject([
      {
        target: { namespace: "default", pod: "a", container: "main" },
        options: {
          follow: true,
          timestamps: true,
          tailLines: 5,
          limitBytes: 100,
          stream: "stderr",
          previous: true,
          sinceTime: Date.parse("2026-01-01T00:00:00Z"),
        },
      },
    ]);
  });

  test("says what is wrong before the stream begins", async () => {
    const { json } = await serve();
    const two = {
      ...pod("a"),
      spec: {
        containers: [
          { name: "x", image: "i" },
          { name: "z", image: "i" },
        ],
      },
    };
    await json("POST", podsURL, two);
    const message = "a container name must be specified for pod a, choose one of: [x z]";
    expect(await json("GET", `${podsURL}/a/log`)).toMatchObject({ code: 400, reason: "BadRequest", message });
    expect((await json("GET", `${podsURL}/a/log?container=q`)).message).toBe(
      "container q is not valid for pod a",
    );
    expect((await json("GET", `${podsURL}/b/log`)).code).toBe(404);
    expect((await json("GET", `${podsURL}/a/log?container=x&tailLines=-1`)).code).toBe(400);
  });

  test("is not read faster than the client reads, and ends when it goes away", async () => {
    const { json, send, node } = await serve();
    await json("POST", podsURL, pod("a"));
    let chunks = 0;
    const ended = new Promise<void>((resolve) => {
      node.log = async function* (scope) {
        try {
          for (; !scope.signal.aborted; chunks += 1) {
            yield Buffer.alloc(64 * 1024, "x");
            await new Promise(setImmediate);
          }
        } finally {
          resolve();
        }
      };
    });
    const response = await send("GET", `${podsURL}/a/log?follow=1`);
    response.pause();
    let before = -1;
    while (chunks !== before) {
      before = chunks;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(chunks).toBeLessThan(100);
    response.destroy();
    await ended;
  });
});

test("a watch of channels tells what changes from look to look, and what can't be seen", async () => {
  const node = new FakeNode();
  const channel = (bytes: number, lastSeen: string): Channel => ({
    apiVersion: "peapod.dev/v1alpha1",
    kind: "Channel",
    metadata: { name: "web-tcp", namespace: "default", labels: {}, creationTimestamp: "" },
    spec: { pod: "web", podUID: "u", type: "TCP", scope: "InterContainer", address: "127.0.0.1:80" },
    status: {
      state: "Active",
      needsPort: true,
      endpoints: [],
      traffic: { clientToServer: { bytes } },
      firstSeen: "",
      lastSeen,
      evidence: [],
    },
  });
  const looks = [[channel(1, "a")], [channel(1, "b")], [channel(2, "c")], []];
  const missing = [{ layer: "nft", reason: "not installed" }];
  const interests: unknown[] = [];
  node.list = async (_scope?: unknown, interest?: unknown) => {
    interests.push(interest);
    return { channels: looks.shift() ?? [], missing };
  };
  const { send } = await serve(node);
  const url =
    "/apis/peapod.dev/v1alpha1/namespaces/default/channels?watch=1&deep=true&allowWatchBookmarks=true";
  const lines = createInterface({ input: await send("GET", url) })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? "null");
  expect(await next()).toMatchObject({ type: "ADDED", object: { metadata: { name: "web-tcp" } } });
  expect(await next()).toMatchObject({
    type: "BOOKMARK",
    object: { metadata: { annotations: { "peapod.dev/missing-evidence": JSON.stringify(missing) } } },
  });
  expect(await next()).toMatchObject({
    type: "MODIFIED",
    object: { status: { traffic: { clientToServer: { bytes: 2 } } } },
  });
  expect(await next()).toMatchObject({ type: "DELETED" });
  expect(interests[0]).toEqual({ deep: true });
});
