import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { quietScope } from "../base/scope.ts";
import { createClient } from "./client.ts";
import { sendJson, startFakeAPI } from "./fake-api.ts";
import { channels, images, nodes, pods } from "./resources.ts";

const scope = quietScope();

describe("requests", () => {
  test("paths, queries, bodies and types as Kubernetes has them", async () => {
    await using api = await startFakeAPI((_request, response) => sendJson(response, { items: [] }));
    const client = createClient({ socketPath: api.socketPath });
    await client.get(pods, { namespace: "a", name: "web" }, scope);
    await client.list(pods, { labelSelector: "app in (a,b)" }, scope);
    await client.get(nodes, { namespace: "ignored", name: "n" }, scope);
    await client.table(
      channels,
      { namespace: "a", fieldSelector: "spec.pod=web", wholeObjects: true },
      scope,
    );
    await client.create(pods, "a", { kind: "Pod" }, scope);
    await client.patch(pods, { namespace: "a", name: "web", subresource: "status" }, { x: null }, scope);
    await client.delete(images, { name: "docker.io/a:1" }, { gracePeriodSeconds: 1 }, scope);
    expect(api.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /api/v1/namespaces/a/pods/web",
      "GET /api/v1/pods?labelSelector=app in (a,b)",
      "GET /api/v1/nodes/n",
      "GET /apis/peapod.dev/v1alpha1/namespaces/a/channels?fieldSelector=spec.pod=web&includeObject=Object",
      "POST /api/v1/namespaces/a/pods",
      "PATCH /api/v1/namespaces/a/pods/web/status",
      "DELETE /apis/peapod.dev/v1alpha1/images/docker.io/a:1",
    ]);
    expect(api.requests[3]?.headers.accept).toContain("as=Table");
    expect(api.requests[4]?.body).toBe('{"kind":"Pod"}');
    expect(api.requests[5]?.headers["content-type"]).toBe("application/merge-patch+json");
    expect(api.requests[6]?.body).toBe('{"gracePeriodSeconds":1}');
  });

  test("warnings of the server are passed on", async () => {
    await using api = await startFakeAPI((_request, response) => {
      response.setHeader("warning", ['299 - "a \\"quoted\\" word"', '299 - "second"']);
      sendJson(response, {});
    });
    const heard: string[] = [];
    const client = createClient({ socketPath: api.socketPath, onWarning: (text) => heard.push(text) });
    await client.get(pods, { namespace: "a", name: "b" }, scope);
    expect(heard).toEqual(['a "quoted" word', "second"]);
  });

  test("the log comes in pieces as it is written", async () => {
    await using api = await startFakeAPI((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" }).write("first\n");
      setImmediate(() => response.end("second\n"));
    });
    const client = createClient({ socketPath: api.socketPath });
    const query = { container: "c", follow: true, tailLines: 0, previous: false };
    const chunks = await Array.fromAsync(await client.log("a", "web", query, scope));
    expect(Buffer.concat(chunks).toString()).toBe("first\nsecond\n");
    expect(api.requests[0]?.url).toBe(
      "/api/v1/namespaces/a/pods/web/log?container=c&follow=true&tailLines=0",
    );
  });
});

describe("failures", () => {
  test("a Status becomes an error with its reason and details", async () => {
    const status = { kind: "Status", reason: "NotFound", message: 'pods "x" not found', code: 404 };
    await using api = await startFakeAPI((_request, response) => sendJson(response, status, 404));
    const client = createClient({ socketPath: api.socketPath });
    await expect(client.get(pods, { namespace: "a", name: "x" }, scope)).rejects.toMatchObject({
      code: "NotFound",
      message: 'pods "x" not found',
      details: status,
    });
  });

  test.each([
    [429, "TooManyRequests"],
    [409, "AlreadyExists"],
    [418, "BadRequest"],
    [500, "InternalError"],
    [503, "ServiceUnavailable"],
  ])("an answer %i without a Status is %s", async (code, expected) => {
    await using api = await startFakeAPI((_request, response) => response.writeHead(code).end("no JSON"));
    const client = createClient({ socketPath: api.socketPath });
    await expect(client.raw("/x", scope)).rejects.toMatchObject({ code: expected, message: "no JSON" });
  });

  test("no server, and one that hangs up or talks nonsense", async () => {
    await using api = await startFakeAPI(() => {});
    const absent = createClient({ socketPath: join(api.folder, "absent.sock") });
    await expect(absent.raw("/x", scope)).rejects.toMatchObject({
      code: "NodeUnreachable",
      cause: { code: "ENOENT" },
    });
    for (const words of [
      "",
      "SSH-2.0\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ]) {
      const path = join(api.folder, "rude.sock");
      const rude = createServer((socket) => void socket.resume().end(words)).listen(path);
      const client = createClient({ socketPath: path });
      await expect(client.raw("/x", scope), JSON.stringify(words)).rejects.toMatchObject({
        code: "NodeUnreachable",
      });
      await new Promise((resolve) => rude.close(resolve));
    }
  });

  test("aborting rejects with the signal's reason, before and during the body", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    await using api = await startFakeAPI((request, response) => {
      if (request.url === "/silent") abort.abort(reason);
      else response.writeHead(200).write("x");
    });
    const client = createClient({ socketPath: api.socketPath });
    await expect(client.raw("/silent", quietScope(abort.signal))).rejects.toBe(reason);
    const later = new AbortController();
    const chunks = await client.log("a", "b", {}, quietScope(later.signal));
    await chunks.next();
    later.abort(reason);
    await expect(chunks.next()).rejects.toBe(reason);
  });
});

test("bodies of known and unknown length, interim answers, HEAD-less chunks", async () => {
  await using api = await startFakeAPI(() => {});
  const answers = [
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nhello",
  ];
  for (const words of answers) {
    const path = join(api.folder, "plain.sock");
    const plain = createServer((socket) => {
      socket.once("data", () => {
        // One byte at a time: nothing may depend on how the answer is cut.
        for (const byte of Buffer.from(words)) socket.write(Buffer.of(byte));
        socket.end();
      });
    }).listen(path);
    expect(await createClient({ socketPath: path }).raw("/x", scope)).toBe("hello");
    await new Promise((resolve) => plain.close(resolve));
  }
});
