import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One request as the fake server got it. */
export interface FakeRequest {
  readonly method: string;
  /** Path and query, decoded. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** An API server on a Unix socket of its own that answers as the test says. Disposing closes it. */
export interface FakeAPI extends AsyncDisposable {
  readonly socketPath: string;
  /** Folder of the socket: can serve as a run folder. */
  readonly folder: string;
  readonly requests: FakeRequest[];
  readonly server: Server;
}

/** Starts the fake; `answer` is called for each request in turn. For tests only. */
export async function startFakeAPI(
  answer: (request: FakeRequest, response: ServerResponse) => void,
): Promise<FakeAPI> {
  const folder = mkdtempSync(join(tmpdir(), "peapod-fake-api-"));
  const requests: FakeRequest[] = [];
  const server = createServer(async (incoming, response) => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    const { method = "", url = "", headers } = incoming;
    const request = { method, url: decodeURIComponent(url), headers, body };
    requests.push(request);
    answer(request, response);
  });
  await once(server.listen(join(folder, "api.sock")), "listening");
  return {
    socketPath: join(folder, "api.sock"),
    folder,
    requests,
    server,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      rmSync(folder, { recursive: true });
    },
  };
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
