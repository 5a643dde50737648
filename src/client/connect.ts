import { connect as connectSocket } from "node:net";
import type { Duplex } from "node:stream";
import { explain, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";

/** Opens one byte stream to an API server; the caller owns it. Rejects with `NodeUnreachable`. */
export type Connect = (scope: Scope) => Promise<Duplex>;

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
