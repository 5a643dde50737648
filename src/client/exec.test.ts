import { PassThrough, Readable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { quietScope } from "../base/scope.ts";
import { unixSocket } from "./connect.ts";
import { type ExecOptions, exec, execPath } from "./exec.ts";
import { sendJson, startFakeAPI } from "./fake-api.ts";

const message = (channel: number, data: string) => Buffer.concat([Buffer.of(channel), Buffer.from(data)]);

/** Runs `exec` against a server that does what `serve` says; returns its outcome, outputs and the server's view. */
async function run(
  serve: (socket: WebSocket) => void,
  options: Partial<ExecOptions> = {},
  { protocols = ["v5.channel.k8s.io"], signal = new AbortController().signal } = {},
) {
  const api = await startFakeAPI((_request, response) => {
    sendJson(response, { kind: "Status", reason: "BadRequest", message: "not running" }, 400);
  });
  onTestFinished(() => api[Symbol.asyncDispose]());
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
  });
  const received: string[] = [];
  api.server.on("upgrade", (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("message", (data: Buffer) =>
        received.push(`${data[0]} ${data.subarray(1).toString("latin1")}`),
      );
      serve(webSocket);
    }),
  );
  const output = new PassThrough();
  const error = new PassThrough();
  const all: ExecOptions = { command: ["x"], stdout: output, stderr: error, tty: false, ...options };
  const outcome = exec(unixSocket(api.socketPath), "/exec", all, quietScope(signal));
  return { outcome, output, error, received };
}

const finish = (socket: WebSocket, status: object) => {
  socket.send(message(3, JSON.stringify(status)));
  socket.close(1000);
};

describe("exec", () => {
  test("both outputs, then success", async () => {
    const { outcome, output, error } = await run((socket) => {
      socket.send(message(1, ""));
      socket.send(message(1, "out"));
      socket.send(message(2, "err"));
      finish(socket, { status: "Success" });
    });
    expect(await outcome).toBe(0);
    expect([output.read()?.toString(), error.read()?.toString()]).toEqual(["out", "err"]);
  });

  test("the command's own exit code", async () => {
    const details = { causes: [{ reason: "ExitCode", message: "42" }] };
    const { outcome } = await run((socket) =>
      finish(socket, { status: "Failure", reason: "NonZeroExitCode", details }),
    );
    expect(await outcome).toBe(42);
  });

  test("a failure that is no exit code, and an end without an outcome", async () => {
    const failed = await run((socket) =>
      finish(socket, { status: "Failure", reason: "InternalError", message: "boom" }),
    );
    await expect(failed.outcome).rejects.toMatchObject({ code: "InternalError", message: "boom" });
    const cut = await run((socket) => socket.terminate());
    await expect(cut.outcome).rejects.toMatchObject({ code: "NodeUnreachable" });
  });

  test("input and its end (v5); v4 has no way to end it", async () => {
    for (const [protocol, last] of [
      ["v5.channel.k8s.io", "255 \u0000"],
      ["v4.channel.k8s.io", "0 world"],
    ] as const) {
      const { outcome, received } = await run(
        (socket) => {
          let count = 0;
          socket.on("message", () => {
            count += 1;
            if (count === (protocol.startsWith("v5") ? 3 : 2)) finish(socket, { status: "Success" });
          });
        },
        { stdin: Readable.from([Buffer.from("hello "), Buffer.from("world")]) },
        { protocols: [protocol] },
      );
      expect(await outcome).toBe(0);
      expect(received.at(-1)).toBe(last);
    }
  });

  test("the terminal's sizes", async () => {
    async function* sizes() {
      yield { columns: 80, rows: 24 };
      yield { columns: 100, rows: 40 };
    }
    const { outcome, received } = await run(
      (socket) => {
        let count = 0;
        socket.on("message", () => {
          count += 1;
          if (count === 2) finish(socket, { status: "Success" });
        });
      },
      { tty: true, sizes: sizes() },
    );
    await outcome;
    expect(received).toEqual(['4 {"Width":80,"Height":24}', '4 {"Width":100,"Height":40}']);
  });

  test("a slow reader of the output gets everything", async () => {
    const size = 4 * 1024 * 1024;
    const { outcome, output } = await run((socket) => {
      for (let sent = 0; sent < size; sent += 65_536) socket.send(message(1, "a".repeat(65_536)));
      finish(socket, { status: "Success" });
    });
    let length = 0;
    output.on("data", (chunk: Buffer) => {
      length += chunk.length;
    });
    await outcome;
    expect(length).toBe(size);
  });

  test("refused before the protocol begins", async () => {
    const api = await startFakeAPI(() => {});
    onTestFinished(() => api[Symbol.asyncDispose]());
    api.server.on("upgrade", (_request, socket) => {
      const body = JSON.stringify({ kind: "Status", reason: "BadRequest", message: "not running" });
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
    });
    const options = { command: ["x"], stdout: new PassThrough(), stderr: new PassThrough(), tty: false };
    await expect(exec(unixSocket(api.socketPath), "/exec", options, quietScope())).rejects.toMatchObject({
      code: "BadRequest",
      message: "not running",
    });
  });

  test("ends when aborted", async () => {
    const abort = new AbortController();
    const reason = new Error("interrupted");
    const { outcome } = await run(() => abort.abort(reason), {}, { signal: abort.signal });
    await expect(outcome).rejects.toBe(reason);
  });
});

test("the query says which streams there are", () => {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const target = { namespace: "a", name: "web" };
  expect(execPath(target, { ...streams, command: ["sh", "-c", "a&b"], tty: false, container: "c" })).toBe(
    "/api/v1/namespaces/a/pods/web/exec?container=c&command=sh&command=-c&command=a%26b&stdout=true&stderr=true",
  );
  expect(execPath(target, { ...streams, command: ["sh"], tty: true, stdin: new PassThrough() })).toBe(
    "/api/v1/namespaces/a/pods/web/exec?command=sh&stdin=true&stdout=true&tty=true",
  );
});
