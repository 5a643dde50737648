import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { PeapodError } from "../../base/errors.ts";
import { type Scope, withSignal } from "../../base/scope.ts";
import type { ExecSession } from "../../runtime/types.ts";
import type { ApiContext } from "../request.ts";
import { failureStatus } from "../status.ts";
import { execOptions } from "../subresources/pod-exec.ts";
import { execProtocols } from "./channel-protocol.ts";
import { streamExec } from "./exec-stream.ts";

const execPath = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/exec$/;

/**
 * Answers WebSocket handshakes on `/exec`. The process is started before the handshake is answered, so that a
 * missing pod or a container that does not run is a plain HTTP Status. Returns how to end what is open.
 */
export function acceptExec(
  servers: readonly Server[],
  context: ApiContext,
  admit: (request: IncomingMessage) => void,
): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => execProtocols.find((protocol) => offered.has(protocol)) ?? false,
  });
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const gone = new AbortController();
    socket.on("error", () => gone.abort());
    socket.on("close", () => gone.abort());
    const scope = withSignal(context.scope, gone.signal);
    start(context, request, admit, scope).then(
      ({ session, options }) => {
        if (gone.signal.aborted) return session.kill();
        sockets.handleUpgrade(request, socket, head, (webSocket) => {
          void streamExec(webSocket, session, options, scope.log);
        });
        // A handshake that is refused leaves the process without anybody to talk to.
        if (socket.destroyed) session.kill();
      },
      (error) => refuse(socket, error),
    );
  };
  for (const server of servers) server.on("upgrade", upgrade);
  return () => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  };
}

async function start(
  context: ApiContext,
  request: IncomingMessage,
  admit: (request: IncomingMessage) => void,
  scope: Scope,
) {
  admit(request);
  const url = new URL(request.url ?? "/", "http://localhost");
  const match = execPath.exec(url.pathname);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new PeapodError("NotFound", "the server could not find the requested resource");
  }
  requireProtocol(request);
  const [namespace, name] = [decodeURIComponent(match[1]), decodeURIComponent(match[2])];
  const options = execOptions(context, namespace, name, url.searchParams);
  const { target, command, stdin, tty } = options;
  const session: ExecSession = await context.streams.exec(target, { command, stdin, tty }, scope);
  return { session, options };
}

function requireProtocol(request: IncomingMessage): void {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  const isWebSocket = request.headers.upgrade?.toLowerCase() === "websocket";
  if (isWebSocket && execProtocols.some((protocol) => offered.includes(protocol))) return;
  const client = isWebSocket ? offered.join(", ") : request.headers.upgrade;
  throw new PeapodError(
    "BadRequest",
    `unable to upgrade: unable to negotiate protocol: client supports [${client}], server accepts WebSocket with [${execProtocols.join(", ")}]`,
  );
}

/** Answers a handshake with a Status, as HTTP. */
function refuse(socket: Duplex, error: unknown): void {
  const status = failureStatus(error);
  const body = JSON.stringify(status);
  const head = [
    `HTTP/1.1 ${status.code} ${status.reason ?? "Error"}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
