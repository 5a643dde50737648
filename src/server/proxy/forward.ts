import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHTTP,
  type ServerResponse,
} from "node:http";
import { request as requestHTTPS } from "node:https";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { explain, PeapodError } from "../../base/errors.ts";
import type { Backend } from "./backend.ts";

/** What concerns one connection only and is not passed on: RFC 9110 section 7.6.1. */
const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
/** What says who the client is to the API, which is nothing to the backend. */
const ours = ["authorization", "host"];

/**
 * Sends a request on to the backend as it comes, and resolves with the head of the backend's answer. `path` is what
 * stands behind `/proxy`; `response` says when the client has gone. Rejects with ServiceUnavailable when the backend
 * can't be reached.
 */
export async function ask(
  backend: Backend,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<IncomingMessage> {
  const isChunked = request.headers["transfer-encoding"] !== undefined;
  const headers = {
    ...without(request.headers, [...hopByHop, ...ours]),
    ...(isChunked ? { "transfer-encoding": "chunked" } : {}),
    ...forwarded(request, backend),
  };
  const sent = open(backend, { method: request.method, path, headers });
  response.once("close", () => sent.destroy());
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve);
    sent.once("error", (error) => reject(unreachable(error)));
  });
  // A backend may answer before it has read everything, or never read it: the answer decides.
  pipeline(request, sent).catch(() => {});
  return answer;
}

/**
 * Passes the backend's answer on as it comes. Redirects of the backend to itself get `prefix` before them. What
 * breaks now can only break the connection.
 */
export async function sendBack(
  answer: IncomingMessage,
  { backend, prefix }: { readonly backend: Backend; readonly prefix: string },
  response: ServerResponse,
): Promise<void> {
  const { location } = answer.headers;
  response.writeHead(answer.statusCode ?? 502, {
    ...without(answer.headers, hopByHop),
    ...(location === undefined ? {} : { location: throughProxy(location, backend, prefix) }),
  });
  await pipeline(answer, response).catch(() => response.destroy());
}

/** A backend that has answered a request for an upgrade. One of its methods is called, once. */
export interface ForwardedUpgrade {
  /** Passes its answer on and joins both connections. Resolves when one of them has ended. */
  serve(socket: Duplex): Promise<void>;
  abandon(): void;
}

/** The same for a request that asks for an upgrade, such as a WebSocket. Rejects as {@link ask} does. */
export async function askUpgrade(
  backend: Backend,
  path: string,
  request: IncomingMessage,
): Promise<ForwardedUpgrade> {
  const headers = { ...without(request.headers, ours), ...forwarded(request, backend) };
  const sent = open(backend, { method: request.method, path, headers });
  return new Promise((resolve, reject) => {
    const answered = (answer: IncomingMessage, far: Duplex, head: Buffer) =>
      resolve({
        async serve(socket) {
          socket.write(headOf(answer));
          if (head.length > 0) socket.write(head);
          await Promise.allSettled([pipeline(far, socket), pipeline(socket, far)]);
        },
        abandon: () => far.destroy(),
      });
    sent.once("upgrade", answered);
    // Refused: the answer is passed on all the same.
    sent.once("response", (answer) =>
      resolve({ serve: (socket) => pipeline(headAndBody(answer), socket), abandon: () => sent.destroy() }),
    );
    sent.once("error", (error) => reject(unreachable(error)));
    sent.end();
  });
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

async function* headAndBody(answer: IncomingMessage): AsyncIterable<string | Buffer> {
  yield `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\n\r\n`;
  yield* answer;
}

function open(
  { scheme, host, port }: Backend,
  options: { method: string | undefined; path: string; headers: IncomingHttpHeaders },
) {
  // As the API server does: a pod's certificate is seldom made for its address.
  const whole = { ...options, method: options.method ?? "GET", host, port, agent: false as const };
  return scheme === "https" ? requestHTTPS({ ...whole, rejectUnauthorized: false }) : requestHTTP(whole);
}

function without(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  const named = String(headers.connection ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !names.includes(name) && !(names.includes("connection") && named.includes(name)),
    ),
  );
}

function forwarded(request: IncomingMessage, { host, port }: Backend): IncomingHttpHeaders {
  return {
    host: `${host}:${port}`,
    "x-forwarded-uri": request.url ?? "/",
    "x-forwarded-host": request.headers.host ?? "",
    "x-forwarded-proto": "encrypted" in request.socket ? "https" : "http",
  };
}

/** A redirect of the backend to itself leads through the proxy again; any other is left alone. */
function throughProxy(location: string, { scheme, host, port }: Backend, prefix: string): string {
  const base = `${scheme}://${host}:${port}`;
  if (!URL.canParse(location, base)) return location;
  const target = new URL(location, base);
  if (target.origin !== new URL(base).origin || !/^(\/|https?:)/.test(location)) return location;
  return `${prefix}${target.pathname}${target.search}${target.hash}`;
}

function unreachable(cause: unknown): PeapodError {
  return new PeapodError("ServiceUnavailable", `error trying to reach service: ${explain(cause)}`, { cause });
}
