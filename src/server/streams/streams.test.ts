import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import WebSocket from "ws";
import { quietScope } from "../../base/scope.ts";
import { openStore } from "../../store/sqlite-store.ts";
import { FakeImages, FakeNode, type FakeSession, fakeTokenKey } from "../fake-node.ts";
import { startServer } from "../server.ts";

async function serve(node: FakeNode) {
  const folder = mkdtempSync(join(tmpdir(), "peapod-exec-"));
  const socketPath = join(folder, "api.sock");
  const store = openStore(":memory:");
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
  store.create("pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", namespace: "default" },
    spec: { containers: [{ name: "main", image: "alpine" }] },
    status: { phase: "Running" },
  });
  const connect = (query: string, protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"]) =>
    new Conversation(`ws+unix://${socketPath}:/api/v1/namespaces/default/pods/a/exec?${query}`, protocols);
  return { server, connect };
}

/** The client's side: what came on each channel, and the close. */
class Conversation {
  readonly socket: WebSocket;
  readonly received: Record<number, string> = {};
  readonly closed: Promise<number>;
  readonly refused: Promise<{ code: number; body: string }>;
  readonly open: Promise<void>;

  constructor(url: string, protocols: string[]) {
    this.socket = new WebSocket(url, protocols);
    this.socket.on("message", (message: Buffer) => {
      const channel = message[0] ?? -1;
      this.received[channel] = (this.received[channel] ?? "") + message.subarray(1).toString();
    });
    this.socket.on("error", () => {});
    this.open = new Promise((resolve) => this.socket.on("open", resolve));
    this.closed = new Promise((resolve) => this.socket.on("close", resolve));
    this.refused = new Promise((resolve) =>
      this.socket.on("unexpected-response", (_request, response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => resolve({ code: response.statusCode ?? 0, body }));
      }),
    );
  }

  send(channel: number, data: string | Uint8Array): void {
    this.socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)]));
  }
}

/** Echoes its input in capitals, then ends with `code`. */
function echo(code: number) {
  return async (session: FakeSession) => {
    for await (const chunk of session.input) session.stdout.write(chunk.toString().toUpperCase());
    session.stderr?.write("done");
    session.exit(code);
  };
}

describe("exec", () => {
  test("v5: input, its end, both outputs, and the exit code as a cause", async () => {
    const node = new FakeNode();
    node.run = echo(3);
    const { connect } = await serve(node);
    const client = connect("command=sh&command=-c&command=cat&stdin=true&stdout=true&stderr=true");
    await client.open;
    expect(client.socket.protocol).toBe("v5.channel.k8s.io");
    client.send(0, "hello ");
    client.send(0, "there");
    client.send(255, [0] as never);
    expect(await client.closed).toBe(1000);
    expect(client.received[1]).toBe("HELLO THERE");
    expect(client.received[2]).toBe("done");
    expect(JSON.parse(client.received[3] ?? "")).toEqual({
      metadata: {},
      status: "Failure",
      reason: "NonZeroExitCode",
      message: "command terminated with non-zero exit code: exit code 3",
      details: { causes: [{ reason: "ExitCode", message: "3" }] },
    });
    expect(node.asked[0]).toMatchObject({
      target: { container: "main", pod: "a" },
      options: { command: ["sh", "-c", "cat"], stdin: true, tty: false },
    });
  });

  test("v4, success, and output that nobody asked for", async () => {
    const node = new FakeNode();
    node.run = (session) => {
      session.stdout.write("seen");
      session.stderr?.write("x".repeat(1_000_000));
      session.exit(0);
    };
    const { connect } = await serve(node);
    const client = connect("command=ls&stdout=1", ["v4.channel.k8s.io"]);
    expect(await client.closed).toBe(1000);
    expect(client.received).toEqual({ 1: "seen", 3: '{"metadata":{},"status":"Success"}' });
  });

  test("a terminal has one output and a size", async () => {
    const node = new FakeNode();
    const started = new Promise<FakeSession>((resolve) => {
      node.run = resolve;
    });
    const { connect } = await serve(node);
    const client = connect("command=sh&stdin=1&stdout=1&stderr=1&tty=1");
    const session = await started;
    await client.open;
    expect(session.stderr).toBeUndefined();
    client.send(4, "nonsense");
    client.send(4, JSON.stringify({ Width: 100, Height: 40 }));
    client.send(0, "exit");
    await new Promise((resolve) => session.input.once("data", resolve));
    expect(session.sizes).toEqual(["100x40"]);
    session.exit(0);
    await client.closed;
  });

  test("large output waits for a slow client and arrives whole", async () => {
    const node = new FakeNode();
    const size = 8 * 1024 * 1024;
    node.run = async (session) => {
      for (let sent = 0; sent < size; sent += 65_536) {
        if (!session.stdout.write(Buffer.alloc(65_536, "a")))
          await new Promise((resolve) => session.stdout.once("drain", resolve));
      }
      session.exit(0);
    };
    const { connect } = await serve(node);
    const client = connect("command=cat&stdout=1");
    await client.open;
    client.socket.pause();
    await new Promise(setImmediate);
    client.socket.resume();
    await client.closed;
    expect(client.received[1]).toHaveLength(size);
  });

  test("ends the process when the client goes away, and when the server closes", async () => {
    for (const end of ["client", "server"]) {
      const node = new FakeNode();
      const started = new Promise<FakeSession>((resolve) => {
        node.run = resolve;
      });
      const { connect, server } = await serve(node);
      const client = connect("command=sleep&stdin=1");
      const session = await started;
      await client.open;
      if (end === "client") client.socket.terminate();
      else await server.close();
      expect(await session.exited).toBe(137);
    }
  });

  test("refuses with a Status before the handshake", async () => {
    const { connect } = await serve(new FakeNode());
    const refusals: [string, string[] | undefined, number, string][] = [
      ["stdout=1", undefined, 400, "you must specify at least 1 command for the container"],
      ["command=ls", undefined, 400, "you must specify at least 1 of stdin, stdout, stderr"],
      ["command=ls&stdout=1&container=x", undefined, 400, "container x is not valid for pod a"],
      ["command=ls&stdout=1", ["v9.channel.k8s.io"], 400, "unable to negotiate protocol"],
    ];
    for (const [query, protocols, code, message] of refusals) {
      const refused = await connect(query, protocols).refused;
      expect(refused.code).toBe(code);
      expect(JSON.parse(refused.body)).toMatchObject({
        kind: "Status",
        message: expect.stringContaining(message),
      });
    }
  });
});
