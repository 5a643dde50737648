import { once } from "node:events";
import { PassThrough, Readable, Writable } from "node:stream";
import {
  Attach,
  CoreV1Api,
  Exec,
  KubeConfig,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1Pod,
  type V1Status,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

/** The JavaScript client library in its published version, against a node. */

let node: TestNode;
let config: KubeConfig;
let api: CoreV1Api;
const namespace = "default";

const server = `require("http").createServer((request, response) => response.end("you asked for " + request.url)).listen(8080)`;
const pod: V1Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "library" },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "main",
        image: "peapod.dev/host",
        command: ["sh", "-c", "echo started; sleep 1; echo again; sleep infinity"],
      },
      {
        name: "server",
        image: "peapod.dev/host",
        command: ["node", "-e", server],
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
      },
      {
        name: "typed",
        image: "peapod.dev/host",
        stdin: true,
        command: ["sh", "-c", 'while read line; do echo "out $line"; done'],
      },
    ],
  },
};

beforeAll(async () => {
  node = await testNode();
  config = new KubeConfig();
  config.loadFromString(await node.ok(["kubeconfig"]));
  api = config.makeApiClient(CoreV1Api);
  await api.createNamespacedPod({ namespace, body: pod });
  await eventually(async () => {
    const { status } = await api.readNamespacedPod({ namespace, name: "library" });
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    return ready?.status === "True" ? true : undefined;
  }, "the pod is ready");
});
afterAll(() => node?.close());

/** A sink and what it took. */
function collector(): { stream: Writable; text(): string } {
  let text = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { stream, text: () => text };
}

function exec(command: string[], stdin: Readable | null) {
  const [out, err] = [collector(), collector()];
  const status = new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(namespace, "library", "main", command, out.stream, err.stream, stdin, false, resolve)
      .catch(reject);
  });
  return status.then((result) => ({ status: result, stdout: out.text(), stderr: err.text() }));
}

describe("streams", () => {
  test("exec: outputs, exit code, and input that ends", async () => {
    expect(await exec(["sh", "-c", "echo out; echo err >&2; exit 3"], null)).toMatchObject({
      stdout: "out\n",
      stderr: "err\n",
      status: { status: "Failure", details: { causes: [{ reason: "ExitCode", message: "3" }] } },
    });
    expect(await exec(["wc", "-c"], Readable.from([Buffer.alloc(100_000)]))).toMatchObject({
      stdout: "100000\n",
      status: { status: "Success" },
    });
  });

  test("attach", async () => {
    const out = collector();
    const input = new PassThrough();
    const socket = await new Attach(config).attach(
      namespace,
      "library",
      "typed",
      out.stream,
      null,
      input,
      false,
    );
    input.write("hello\n");
    await eventually(() => (out.text() === "out hello\n" ? true : undefined), "the answer");
    const closed = once(socket as never, "close");
    socket.close();
    await closed;
  });

  test("port-forward", async () => {
    const [out, err] = [collector(), collector()];
    const input = new PassThrough();
    const socket = await new PortForward(config).portForward(
      namespace,
      "library",
      [8080],
      out.stream,
      err.stream,
      input,
    );
    const closed = once(socket as never, "close");
    input.write("GET /this HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await closed;
    expect(out.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*you asked for \/this/);
    expect(err.text()).toBe("");
  });

  test("port-forward to a port where nobody listens", async () => {
    const [out, err] = [collector(), collector()];
    const forwarder = new PortForward(config);
    await forwarder.portForward(namespace, "library", [4444], out.stream, err.stream, new PassThrough());
    await eventually(() => (err.text().includes("ECONNREFUSED") ? true : undefined), "the reason");
  });

  test("log, followed until it has the bytes that were asked for", async () => {
    const out = collector();
    const options = { follow: true, limitBytes: 12 };
    await new Log(config).log(namespace, "library", "main", out.stream, options);
    await once(out.stream, "finish");
    expect(out.text()).toBe("started\nagai");
  });
});

test("patches of three types", async () => {
  const name = "library";
  const patch = (type: string, body: object) =>
    api.patchNamespacedPod({ namespace, name, body }, setHeaderOptions("Content-Type", type));
  await patch(PatchStrategy.StrategicMergePatch, { metadata: { labels: { a: "1", b: "1" } } });
  await patch(PatchStrategy.MergePatch, { metadata: { labels: { b: null, c: "1" } } });
  const { metadata } = await patch(PatchStrategy.JsonPatch, [
    { op: "replace", path: "/metadata/labels/a", value: "2" },
  ]);
  expect(metadata?.labels).toMatchObject({ a: "2", c: "1" });
  expect(metadata?.labels).not.toHaveProperty("b");
});

test("an informer: what is there, every change, and again when its resourceVersion is not known any more", async () => {
  const seen: string[] = [];
  let lists = 0;
  const informer = makeInformer<V1Pod>(config, `/api/v1/namespaces/${namespace}/configmaps`, async () => {
    lists += 1;
    const list = await api.listNamespacedConfigMap({ namespace });
    // Of a store that is no more: the watch is answered with 410 Gone, upon which the library has to list again.
    if (lists === 1 && list.metadata !== undefined) {
      list.metadata.resourceVersion = "999999999";
    }
    return list as never;
  });
  for (const event of ["add", "update", "delete"] as const) {
    informer.on(event as "add", ({ metadata }) => {
      if (metadata?.name?.startsWith("informed")) seen.push(`${event} ${metadata.name}`);
    });
  }
  informer.on("error", () => void informer.start());
  const create = (name: string) => api.createNamespacedConfigMap({ namespace, body: { metadata: { name } } });
  await create("informed-before");
  await informer.start();
  await create("informed-later");
  await eventually(() => (seen.includes("add informed-later") ? true : undefined), "an addition");
  await api.patchNamespacedConfigMap(
    { namespace, name: "informed-later", body: { data: { a: "b" } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  await eventually(() => (seen.includes("update informed-later") ? true : undefined), "an update");
  await api.deleteNamespacedConfigMap({ namespace, name: "informed-later" });
  await eventually(() => (seen.includes("delete informed-later") ? true : undefined), "a deletion");
  await informer.stop();
  expect(lists).toBeGreaterThan(1);
  expect(seen).toEqual(
    expect.arrayContaining(["add informed-before", "add informed-later", "delete informed-later"]),
  );
  expect(new Set(seen).size).toBe(seen.length);
  expect(informer.list(namespace).map(({ metadata }) => metadata?.name)).toContain("informed-before");
});
