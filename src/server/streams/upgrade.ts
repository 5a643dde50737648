import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { explain, PeapodError } from "../../base/errors.ts";
import { type Scope, withSignal } from "../../base/scope.ts";
import { askUpgrade } from "../proxy/forward.ts";
import { proxyRequest } from "../proxy/routes.ts";
import type { ApiContext } from "../request.ts";
import { failureStatus } from "../status.ts";
import { type StreamKind, type StreamRequest, streamServices } from "./services.ts";

const streamPath = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/(exec|attach|portforward|log)$/;

/** What a client offers: a kind of upgrade and, in its order of preference, protocols on top of it. */
interface Offer {
  readonly upgrade: "websocket" | "spdy" | undefined;
  readonly protocols: readonly string[];
}

/** What a request asked for, started, and waiting for its connection. One of its methods is called, once. */
interface Started {
  /** Answers the upgrade; resolves when all is over. */
  serve(socket: Duplex, head: Buffer): Promise<void>;
  abandon(): void;
}

/**
 * Answers upgrades on `/exec`, `/attach` and `/portforward`, by WebSocket or SPDY, and on `/log` by WebSocket; those below `/proxy` go on to their
 * pod. What is asked for is started
 * before the upgrade is answered, so that a missing pod or a container that does not run is a plain HTTP Status.
 * `admit` throws for a request that may not be made. Returns how to end what is open.
 */
export function acceptStreams(
  servers: readonly Server[],
  context: ApiContext,
  admit: (request: IncomingMessage) => void,
): () => void {
  const open = new Set<Duplex>();
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const gone = new AbortController();
    socket.on("error", () => gone.abort());
    socket.on("close", () => {
      gone.abort();
      open.delete(socket);
    });
    open.add(socket);
    const scope = withSignal(context.scope, gone.signal);
    start(context, request, admit, scope).then(
      async ({ serve, abandon }) => {
        if (gone.signal.aborted) return abandon();
        try {
          await serve(socket, head);
        } catch (error) {
          scope.log.debug({ url: request.url, error: explain(error) }, "stream broke");
          abandon();
          socket.destroy();
        }
      },
      (error) => refuse(socket, error),
    );
  };
  for (const server of servers) server.on("upgrade", upgrade);
  return () => {
    for (const socket of open) socket.destroy();
  };
}

async function start(
  context: ApiContext,
  request: IncomingMessage,
  admit: (request: IncomingMessage) => void,
  scope: Scope,
): Promise<Started> {
  admit(request);
  // Split as access control does, with nothing resolved or decoded first: what was judged is what is opened.
  const url = request.url ?? "/";
  const path = url.split(/[?#]/, 1)[0] ?? "";
  const proxied = proxyRequest(context, url);
  if (proxied !== undefined) {
    const { serve, abandon } = await askUpgrade(proxied.backend, proxied.path, request);
    return { serve, abandon };
  }
  const [, namespace, name, kind] = streamPath.exec(path) ?? [];
  if (namespace === undefined || name === undefined || kind === undefined) {
    throw new PeapodError("NotFound", "the server could not find the requested resource");
  }
  const { open, protocols } = streamServices[kind as StreamKind];
  const offer = readOffer(request);
  const accepted = offer.upgrade === undefined ? [] : protocols[offer.upgrade];
  const protocol = accepted.find((each) => offer.protocols.includes(each));
  if (protocol === undefined) {
    throw new PeapodError(
      "BadRequest",
      `unable to upgrade: unable to negotiate protocol: client supports [${offer.protocols.join(", ")}], server accepts [${protocols.websocket.join(", ")}] by WebSocket and [${protocols.spdy.join(", ")}] by SPDY/3.1`,
    );
  }
  const streamRequest: StreamRequest = {
    namespace: decode(namespace),
    name: decode(name),
    query: new URLSearchParams(url.slice(path.length + 1)),
  };
  const service = await open(context, streamRequest, scope);
  return {
    serve: async (socket, head) =>
      offer.upgrade === "websocket"
        ? service.serveWebSocket(await webSocket(request, socket, head, protocol), protocol)
        : service.serveSpdy(spdyTransport(socket, head, protocol)),
    abandon: () => service.abandon(),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new PeapodError("BadRequest", `the path contains an invalid escape: ${part}`, { cause });
  }
}

function readOffer({ headers }: IncomingMessage): Offer {
  const list = (value: string | string[] | undefined) =>
    String(value ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
  switch (headers.upgrade?.toLowerCase()) {
    case "websocket":
      return { upgrade: "websocket", protocols: list(headers["sec-websocket-protocol"]) };
    case "spdy/3.1":
      return { upgrade: "spdy", protocols: list(headers["x-stream-protocol-version"]) };
    default:
      return { upgrade: undefined, protocols: list(headers.upgrade) };
  }
}

const handshakes = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
handshakes.on("headers", (headers, request) => {
  headers.push(`Sec-WebSocket-Protocol: ${chosenProtocols.get(request)}`);
});
const chosenProtocols = new WeakMap<IncomingMessage, string>();

/**
 * The handshake, with the protocol chosen before. `ws` must not see what the client offered: it insists on tokens
 * (RFC 6455), and the name of the SPDY tunnel has a slash in it. Rejects when `ws` refuses it and has answered so.
 */
function webSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocol: string,
): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    delete request.headers["sec-websocket-protocol"];
    chosenProtocols.set(request, protocol);
    handshakes.handleUpgrade(request, socket, head, resolve);
    if (socket.destroyed || socket.writableEnded) reject(new Error("WebSocket handshake refused"));
  });
}

function spdyTransport(socket: Duplex, head: Buffer, protocol: string): Duplex {
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: SPDY/3.1",
    `X-Stream-Protocol-Version: ${protocol}`,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return socket;
}

/** Answers an upgrade with a Status, as HTTP. */
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
