import { connect as connectSocket } from "node:net";
import type { Duplex } from "node:stream";
import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";

/** Opens one byte stream to an API server; the caller owns it. Rejects with `NodeUnreachable`. */
export interface Connect {
  (scope: Scope): Promise<Duplex>;
  /** Absent: requests need nothing but what they say, as on a node's own socket. */
  readonly server?: ServerAccess;
}

/** What every request to an API server has beside its own. */
export interface ServerAccess {
  /** For the Host header: `HOST:PORT`. */
  readonly host: string;
  /** Before every path; empty or without a slash at its end. */
  readonly pathPrefix: string;
  /** Who asks (`Authorization` …). Asked for each request, since credentials can end. */
  headers(scope: Scope): Promise<Readonly<Record<string, string>>>;
}

/** Host, path and additional headers of a request for `path`. */
export async function addressed(
  { server }: Connect,
  path: string,
  scope: Scope,
): Promise<{ host: string; path: string; headers: Readonly<Record<string, string>> }> {
  if (server === undefined) return { host: "peapod", path, headers: {} };
  return { host: server.host, path: server.pathPrefix + path, headers: await server.headers(scope) };
}

/** Connects to the Unix socket of a node daemon. The error's cause is the system error (ENOENT, ECONNREFUSED …). */
export function unixSocket(path: string): Connect {
  return (scope) =>
    new Promise((resolve, reject) => {
      scope.signal.throwIfAborted();
      const socket = connectSocket(path);
      const onAbort = () => socket.destroy(scope.signal.reason);
      scope.signal.addEventListener("abort", onAbort, { once: true });
      const settle = () => {
        scope.signal.removeEventListener("abort", onAbort);
        socket.removeAllListeners("error");
      };
      socket.once("connect", () => {
        settle();
        resolve(socket);
      });
      socket.once("error", (cause) => {
        settle();
        reject(
          scope.signal.aborted
            ? scope.signal.reason
            : new PeapodError("NodeUnreachable", `connect to the node daemon at ${path}: ${explain(cause)}`, {
                cause,
              }),
        );
      });
    });
}
