import { createServer, type RequestListener } from "node:http";
import { createServer as createHTTP2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTCPServer, type Server } from "node:net";
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { quietScope } from "../../base/scope.ts";
import type { Container, Probe } from "../../kube/types.ts";
import type { RuntimeService } from "../../runtime/types.ts";
import { runProbe } from "./run-probe.ts";

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening<T extends Server | Http2Server>(server: T): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const container: Container = { name: "a", ports: [{ name: "web", containerPort: 1 }] };
const noRuntime: Pick<RuntimeService, "exec"> = { exec: () => Promise.reject(new Error("no runtime")) };

function probe(parts: Probe, runtime = noRuntime, ports: Container["ports"] = container.ports ?? []) {
  const target = { runtime, container: { ...container, ports }, id: "id", podIP: "127.0.0.1" };
  return runProbe({ timeoutSeconds: 30, ...parts }, target, quietScope());
}

/** A port at which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createTCPServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("httpGet", () => {
  const serve = (listener: RequestListener) => listening(createServer(listener));

  test.each([
    [200, "Success", "body"],
    [399, "Warning", "Probe terminated redirects, Response body: body"],
    [400, "Failure", "HTTP probe failed with statuscode: 400"],
    [503, "Failure", "HTTP probe failed with statuscode: 503"],
  ])("status %i", async (status, verdict, output) => {
    const port = await serve((_, response) => response.writeHead(status).end("body"));
    expect(await probe({ httpGet: { port } })).toEqual({ verdict, output });
  });

  test("sends path, query, headers of its own and the kubelet's", async () => {
    let seen: unknown;
    const port = await serve(({ url, headers }, response) => {
      seen = [url, headers.host, headers["user-agent"], headers.accept, headers["x-a"], headers.connection];
      response.end();
    });
    const httpHeaders = [
      { name: "Host", value: "example.com" },
      { name: "X-A", value: "1" },
      { name: "X-A", value: "2" },
      { name: "Accept", value: "" },
    ];
    await probe({ httpGet: { port: "web", path: "health?full=1", httpHeaders } }, noRuntime, [
      { name: "web", containerPort: port },
    ]);
    expect(seen).toEqual(["/health?full=1", "example.com", "kube-probe/1.36", undefined, "1, 2", "close"]);
  });

  test("follows redirects on the same host only", async () => {
    const port = await serve(({ url }, response) => {
      if (url === "/") response.writeHead(302, { location: "/there" }).end();
      else if (url === "/away") response.writeHead(302, { location: "http://example.com/" }).end("bye");
      else if (url === "/loop") response.writeHead(302, { location: "/loop" }).end();
      else response.end("there");
    });
    expect(await probe({ httpGet: { port } })).toEqual({ verdict: "Success", output: "there" });
    expect((await probe({ httpGet: { port, path: "/away" } })).verdict).toBe("Warning");
    const loop = await probe({ httpGet: { port, path: "/loop" } });
    expect(loop).toEqual({
      verdict: "Failure",
      output: `Get "http://127.0.0.1:${port}/loop": stopped after 10 redirects`,
    });
  });

  test("says why there was no answer", async () => {
    const port = await closedPort();
    expect((await probe({ httpGet: { port, path: "/x" } })).output).toBe(
      `Get "http://127.0.0.1:${port}/x": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    const plain = await serve((_, response) => response.end());
    expect((await probe({ httpGet: { port: plain, scheme: "HTTPS" } })).output).toBe(
      `Get "https://127.0.0.1:${plain}/": http: server gave HTTP response to HTTPS client`,
    );
    const silent = await serve(() => {});
    expect((await probe({ httpGet: { port: silent }, timeoutSeconds: 1 })).output).toMatch(
      /Client\.Timeout exceeded/,
    );
  });

  test("an unknown port name is no verdict", async () => {
    await expect(probe({ httpGet: { port: "metrics" } })).rejects.toThrow("port metrics not found");
  });
});

test("tcpSocket", async () => {
  const port = await listening(createTCPServer());
  expect((await probe({ tcpSocket: { port } })).verdict).toBe("Success");
  const closed = await closedPort();
  expect(await probe({ tcpSocket: { port: closed } })).toEqual({
    verdict: "Failure",
    output: `dial tcp 127.0.0.1:${closed}: connect: connection refused`,
  });
});

describe("grpc", () => {
  /** A health service that knows one service and its state. */
  async function healthServer(name: string, serving: number, status = 0): Promise<number> {
    const server = createHTTP2Server();
    server.on("stream", (stream: ServerHttp2Stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const asked = Buffer.concat(chunks).subarray(7).toString();
        const isKnown = headers[":path"] === "/grpc.health.v1.Health/Check" && asked === name;
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () =>
          stream.sendTrailers({ "grpc-status": String(isKnown ? status : 5), "grpc-message": "not%20known" }),
        );
        stream.end(status === 0 && isKnown ? Buffer.from([0, 0, 0, 0, 2, 8, serving]) : Buffer.alloc(0));
      });
    });
    return listening(server);
  }

  test.each([
    [1, 0, "Success", "service healthy"],
    [2, 0, "Failure", 'service unhealthy (responded with "NOT_SERVING")'],
    [
      1,
      12,
      "Failure",
      "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): not known",
    ],
  ])("serving %i, status %i", async (serving, status, verdict, output) => {
    const port = await healthServer("db", serving, status);
    expect(await probe({ grpc: { port, service: "db" } })).toEqual({ verdict, output });
  });

  test("the whole server, an unknown service, nobody", async () => {
    const port = await healthServer("", 1);
    expect((await probe({ grpc: { port } })).verdict).toBe("Success");
    expect((await probe({ grpc: { port, service: "other" } })).output).toBe(
      "error: health rpc probe failed: rpc error: code = 5 desc = not known",
    );
    const closed = await closedPort();
    expect((await probe({ grpc: { port: closed } })).output).toBe(
      `error: failed to connect service at "127.0.0.1:${closed}": dial tcp 127.0.0.1:${closed}: connect: connection refused`,
    );
  });
});

describe("exec", () => {
  function runtime(output: string, exitCode: number | undefined): Pick<RuntimeService, "exec"> {
    return {
      exec: async () => {
        const stdout = new PassThrough();
        stdout.end(output);
        const exited =
          exitCode === undefined
            ? new Promise<number>(() => {})
            : new Promise<number>((resolve) => stdout.once("close", () => resolve(exitCode)));
        return { stdin: undefined, stdout, stderr: undefined, resize() {}, exited, kill() {} };
      },
    };
  }

  test.each([
    [0, "Success"],
    [1, "Failure"],
  ])("exit code %i", async (exitCode, verdict) => {
    const found = await probe({ exec: { command: ["true"] } }, runtime("said", exitCode));
    expect(found).toEqual({ verdict, output: "said" });
  });

  test("one that takes too long has failed", async () => {
    const found = await probe(
      { exec: { command: ["sleep", "9"] }, timeoutSeconds: 1 },
      runtime("", undefined),
    );
    expect(found).toEqual({ verdict: "Failure", output: 'command "sleep 9" timed out' });
  });

  test("one that cannot be run is no verdict", async () => {
    await expect(probe({ exec: { command: ["x"] } })).rejects.toThrow("no runtime");
  });
});
