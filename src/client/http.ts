import type { Duplex } from "node:stream";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { ByteReader } from "./byte-reader.ts";
import { addressed, type Connect } from "./connect.ts";

// Why not node:http: loading it costs a short-lived program about 35 ms (measured on Node 26: `import
// "node:http"` 60 ms against 26 ms for `node:net`), more than the rest of `peapod up -d` together. One request
// per connection over a local socket needs only the small part of RFC 9112 below.

/** A request for one resource. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, already encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** The head of an answer, and its body as it arrives. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; a repeated header has several values. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Must be read or abandoned (`return`), which closes the connection. Fails with `NodeUnreachable` if cut short. */
  readonly body: AsyncGenerator<Buffer, void, undefined>;
}

/**
 * Sends one HTTP/1.1 request on a connection of its own and returns when the head of the answer is there.
 * Rejects with `NodeUnreachable` when the connection fails, and with the signal's reason when it aborts, also
 * while the body is read.
 */
export async function sendRequest(
  connect: Connect,
  request: HttpRequest,
  scope: Scope,
): Promise<HttpResponse> {
  const { host, path, headers } = await addressed(connect, request.path, scope);
  const connection = await connect(scope);
  const onAbort = () => connection.destroy(scope.signal.reason);
  scope.signal.addEventListener("abort", onAbort, { once: true });
  const close = () => {
    scope.signal.removeEventListener("abort", onAbort);
    connection.destroy();
  };
  try {
    if (scope.signal.aborted) onAbort();
    writeRequest(connection, { ...request, path, headers: { Host: host, ...headers, ...request.headers } });
    const reader = new ByteReader(connection);
    const head = await readHead(reader);
    return { ...head, body: readBody(reader, request.method, head, scope, close) };
  } catch (error) {
    close();
    throw unreachable(error, scope);
  }
}

/** The whole body as text. */
export async function readText(response: HttpResponse): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

type Head = Pick<HttpResponse, "status" | "headers">;

function writeRequest(connection: Duplex, request: HttpRequest): void {
  const body = request.body === undefined ? undefined : Buffer.from(request.body);
  const headers = {
    Connection: "close",
    ...request.headers,
    ...(body === undefined ? {} : { "Content-Length": String(body.length) }),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${request.method} ${request.path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  connection.write(body === undefined ? head : Buffer.concat([head, body]));
}

async function readHead(reader: ByteReader): Promise<Head> {
  for (;;) {
    const statusLine = await reader.line();
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new PeapodError("NodeUnreachable", `not an HTTP answer: ${statusLine}`);
    const headers = new Map<string, string[]>();
    for (let line = await reader.line(); line !== ""; line = await reader.line()) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const values = headers.get(name) ?? [];
      headers.set(name, [...values, line.slice(colon + 1).trim()]);
    }
    // Interim answers (100 Continue, 103 Early Hints) precede the real one.
    if (status >= 200) return { status, headers };
  }
}

/** Message body length: RFC 9112 section 6.3. */
async function* readBody(
  reader: ByteReader,
  method: string,
  { status, headers }: Head,
  scope: Scope,
  close: () => void,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    const length = headers.get("content-length")?.[0];
    if (method === "HEAD" || status === 204 || status === 304) return;
    if (headers.get("transfer-encoding")?.at(-1)?.toLowerCase() === "chunked") {
      for (;;) {
        const size = Number.parseInt(await reader.line(), 16);
        if (Number.isNaN(size))
          throw new PeapodError("NodeUnreachable", "malformed chunk in the HTTP answer");
        if (size === 0) return;
        yield* reader.bytes(size);
        await reader.line();
      }
    }
    if (length !== undefined) yield* reader.bytes(Number(length));
    else yield* reader.rest();
  } catch (error) {
    throw unreachable(error, scope);
  } finally {
    close();
  }
}

function unreachable(error: unknown, scope: Scope): unknown {
  if (scope.signal.aborted) return scope.signal.reason;
  if (error instanceof PeapodError) return error;
  return new PeapodError("NodeUnreachable", "the connection to the node daemon broke", { cause: error });
}
