import { readFileSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubernetesObject } from "../../src/kube/types.ts";
import { type Answer, type Cluster, startCluster } from "../helpers/cluster.ts";
import { eventually } from "../helpers/peapod.ts";

/** Many watchers of many changes: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes. */

let cluster: Cluster;
let socketPath: string;
const keptOpen = new Agent({ keepAlive: true, maxSockets: 4 });

beforeAll(async () => {
  cluster = await startCluster();
  socketPath = join(cluster.node.runDir, "api.sock");
});
afterAll(async () => {
  keptOpen.destroy();
  await cluster?.close();
});

type Change = [type: string, name: string, resourceVersion: number];

/** One client's watch that goes on until `stop`, over as many connections as `changesEach` asks for. */
class Watcher {
  readonly changes: Change[] = [];
  connections = 0;
  readonly #path: string;
  readonly #changesEach: number;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #position: string;

  constructor(path: string, resourceVersion: string, changesEach: number) {
    this.#path = path;
    this.#position = resourceVersion;
    this.#changesEach = changesEach;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      this.connections += 1;
      const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${this.#position}`;
      await this.#follow(`${this.#path}?${query}`).catch((error) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  async #follow(path: string): Promise<void> {
    const { signal } = this.#stopped;
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ socketPath, path, signal }, resolve).on("error", reject).end();
    });
    let seen = 0;
    for await (const line of createInterface(message)) {
      const { type, object } = JSON.parse(line) as { type: string; object: KubernetesObject };
      if (type === "ERROR") throw new Error(line);
      this.#position = object.metadata.resourceVersion;
      if (type === "BOOKMARK") continue;
      this.changes.push([type, object.metadata.name, Number(this.#position)]);
      seen += 1;
      if (seen === this.#changesEach) break;
    }
    message.destroy();
  }
}

/** A request whose connection is used again: two thousand of them are to be one load, not two thousand handshakes. */
function send(method: string, path: string, body?: object, type = "application/json"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": type };
    const sent = request({ socketPath, method, path, headers, agent: keptOpen }, async (message) => {
      let text = "";
      for await (const chunk of message.setEncoding("utf8")) text += chunk;
      resolve({ status: message.statusCode ?? 0, body: JSON.parse(text) });
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Runs the task for 0 to `count` - 1, eight at a time. */
async function each<T>(count: number, task: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await task(index);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return results;
}

const payload = "x".repeat(2_000);

/** Creates 500 ConfigMaps, changes each of them twice and deletes it; the changes as the answers told them. */
async function twoThousandChanges(path: string): Promise<Change[]> {
  const change = (type: string, { status, body }: Answer): Change => {
    if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
    return [type, body.metadata.name, Number(body.metadata.resourceVersion)];
  };
  const name = (index: number) => `c${String(index).padStart(3, "0")}`;
  const created = await each(500, async (index) =>
    change("ADDED", await send("POST", path, { metadata: { name: name(index) }, data: { payload } })),
  );
  const changed = await each(1_000, async (index) => {
    const body = { data: { round: String(index) } };
    const patch = "application/merge-patch+json";
    return change("MODIFIED", await send("PATCH", `${path}/${name(index % 500)}`, body, patch));
  });
  await each(500, (index) => send("DELETE", `${path}/${name(index)}`));
  return [...created, ...changed].sort(([, , a], [, , b]) => a - b);
}

test("20 watchers, 2 000 changes: each sees each change once and in order, also those that reconnect", async () => {
  const namespace = await cluster.newNamespace();
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const { body } = await send("GET", path);
  const { resourceVersion } = body.metadata;
  // Every second one hangs up after a while and comes back from where it was: from after 10 to after 100 changes.
  const watchers = Array.from(
    { length: 20 },
    (_, index) => new Watcher(path, resourceVersion, index % 2 === 0 ? Infinity : 10 * Math.ceil(index / 2)),
  );
  const told = await twoThousandChanges(path);
  await eventually(
    () => (watchers.every(({ changes }) => changes.length >= 2_000) ? true : undefined),
    `all changes: ${watchers.map(({ changes }) => changes.length)}`,
    60_000,
  );
  await Promise.all(watchers.map((watcher) => watcher.stop()));

  const [first] = watchers;
  const changes = first?.changes ?? [];
  expect(changes).toHaveLength(2_000);
  expect(changes.filter(([type]) => type !== "DELETED")).toEqual(told);
  const deleted = changes.filter(([type]) => type === "DELETED").map(([, name]) => name);
  expect(new Set(deleted).size).toBe(500);
  const versions = changes.map(([, , version]) => version);
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  for (const watcher of watchers) expect(watcher.changes).toEqual(changes);
  expect(watchers[1]?.connections).toBeGreaterThan(100);
  expect(first?.connections).toBe(1);
});

test("a watch that asks for bookmarks gets one before it ends, to go on from", async () => {
  const namespace = await cluster.newNamespace();
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const { body } = await send("GET", path);
  // Other objects change: this one's resourceVersion is soon long ago, though nothing happens that it shows.
  await cluster.create("", { apiVersion: "v1", kind: "Namespace", metadata: { name: `${namespace}-other` } });
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion=${body.metadata.resourceVersion}`;
  const message = await new Promise<IncomingMessage>((resolve) => {
    request({ socketPath, path: `${path}?${query}` }, resolve).end();
  });
  let frames = "";
  for await (const chunk of message.setEncoding("utf8")) frames += chunk;
  const { type, object } = JSON.parse(frames.split("\n")[0] ?? "");
  expect(type).toBe("BOOKMARK");
  expect(object).toMatchObject({ kind: "ConfigMap", apiVersion: "v1" });
  expect(Number(object.metadata.resourceVersion)).toBeGreaterThan(Number(body.metadata.resourceVersion));
});

test("one who does not read is cut off, keeps no memory, and the others see everything", async () => {
  const namespace = await cluster.newNamespace();
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const { body } = await send("GET", path);
  const { resourceVersion } = body.metadata;
  const query = `watch=1&resourceVersion=${resourceVersion}&asleep=true`;
  const sleepers = Array.from({ length: 20 }, () => {
    const socket = connect(socketPath);
    socket.write(`GET ${path}?${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    socket.pause();
    socket.on("error", () => {});
    return socket;
  });
  const awake = new Watcher(path, resourceVersion, Infinity);
  const before = residentBytes();
  // 40 MB for each of those who do not read.
  const large = "x".repeat(200_000);
  await each(200, (index) => send("POST", path, { metadata: { name: `large-${index}` }, data: { large } }));
  await eventually(() => (awake.changes.length === 200 ? true : undefined), "all changes");
  expect(residentBytes() - before).toBeLessThan(300_000_000);

  const closed = sleepers.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
  await eventually(() => cutOff().length >= sleepers.length || undefined, "they are cut off", 60_000);
  expect(cutOff().filter((url) => !url.includes("asleep"))).toEqual([]);
  for (const socket of sleepers) socket.resume();
  await Promise.all(closed);
  // Cut off in the middle, not after everything.
  for (const socket of sleepers) expect(socket.bytesRead).toBeLessThan(5_000_000);

  await send("POST", path, { metadata: { name: "afterwards" } });
  await eventually(() => (awake.changes.length === 201 ? true : undefined), "the change afterwards");
  expect(awake.connections).toBe(1);
  await awake.stop();
});

function residentBytes(): number {
  const status = readFileSync(`/proc/${cluster.node.daemonPID()}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Whom the daemon says it has cut off. */
function cutOff(): string[] {
  const log = readFileSync(join(cluster.node.stateDir, "daemon.log"), "utf8").trim().split("\n");
  const lines = log.filter((line) => line.includes("reads too slowly"));
  return lines.map((line) => (JSON.parse(line) as { url: string }).url);
}
