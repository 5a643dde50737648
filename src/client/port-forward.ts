import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { SpdyConnection } from "../spdy/connection.ts";
import { addressed, type Connect } from "./connect.ts";
import { pods, resourcePath } from "./resources.ts";
import { statusError } from "./status.ts";

/** Ports of one pod, reached over one connection. */
export interface PortForwarder {
  /**
   * Joins a local connection with a new one to the pod's port, until both directions have ended. Rejects with the
   * node's words when nobody listens there. Destroys `local` at the end.
   */
  forward(port: number, local: Duplex): Promise<void>;
  /** Resolves when the connection to the node has ended. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Opens the port-forward subresource (SPDY/3.1). Rejects with the server's Status when it refuses. */
export async function openPortForward(
  connect: Connect,
  pod: { readonly namespace: string; readonly name: string },
  scope: Scope,
): Promise<PortForwarder> {
  const transport = await upgrade(connect, resourcePath(pods, { ...pod, subresource: "portforward" }), scope);
  const connection = new SpdyConnection(transport, "client", (stream) => stream.destroy());
  let requests = 0;
  return {
    closed: connection.closed,
    close: () => connection.close(),
    async forward(port, local) {
      const headers = { port: String(port), requestid: String(requests) };
      requests += 1;
      const error = connection.open({ streamtype: "error", ...headers });
      error.end();
      const words = readAll(error);
      void words.then((text) => text !== "" && local.destroy());
      const data = connection.open({ streamtype: "data", ...headers });
      await Promise.allSettled([pipeline(local, data), pipeline(data, local)]);
      local.destroy();
      data.destroy();
      const failure = await words;
      if (failure !== "") throw new PeapodError("ServiceUnavailable", failure);
    },
  };
}

async function upgrade(connect: Connect, path: string, scope: Scope): Promise<Duplex> {
  const target = await addressed(connect, path, scope);
  const connection = await connect(scope);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      method: "POST",
      path: target.path,
      createConnection: (() => connection) as never,
      headers: {
        Host: target.host,
        ...target.headers,
        Connection: "Upgrade",
        Upgrade: "SPDY/3.1",
        "X-Stream-Protocol-Version": "portforward.k8s.io",
      },
      signal: scope.signal,
    });
    request.on("upgrade", (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        reject(statusError(response.statusCode ?? 500, Buffer.concat(chunks).toString())),
      );
    });
    request.on("error", (cause) =>
      reject(
        scope.signal.aborted
          ? scope.signal.reason
          : new PeapodError("NodeUnreachable", `the connection broke: ${explain(cause)}`, { cause }),
      ),
    );
    request.end();
  });
}

/** What the error stream says; nothing when it breaks off, because then the connection did. */
async function readAll(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
  } catch {
    return "";
  }
  return Buffer.concat(chunks).toString();
}
