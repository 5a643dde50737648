import { connect, Socket } from "node:net";
import { Duplex } from "node:stream";
import { PeapodError, systemErrorCode } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { startProcess } from "./child-process.ts";
import { insideNamespaces, visitNamespace } from "./namespaces.ts";
import { systemCalls } from "./system-calls.ts";

// socket(2), from bits/socket.h.
const ipv4 = 2;
const ipv6 = 10;
const streamSocket = 1 | 0o4000 | 0o2000000; // SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC

const loopbacks = [
  { domain: ipv4, address: "127.0.0.1" },
  { domain: ipv6, address: "::1" },
] as const;

/**
 * Opens a TCP connection to `localhost:port` as a process in the network namespace at `netns` would (undefined: in
 * the host's), first by IPv4, then by IPv6. A socket belongs to the namespace in which it was made, so only that one
 * call happens there; everything else is Node.js' own. Half-closing works in both directions. The caller owns the
 * stream. Rejects with ServiceUnavailable when nobody accepts.
 */
export async function connectInNamespace(
  netns: string | undefined,
  port: number,
  scope: Scope,
): Promise<Duplex> {
  scope.signal.throwIfAborted();
  if (netns !== undefined && (await systemCalls()) === undefined) return connectByTool(netns, port);
  const failures: string[] = [];
  for (const { domain, address } of loopbacks) {
    try {
      return await connected(
        netns === undefined ? undefined : await socketIn(netns, domain),
        port,
        address,
        scope,
      );
    } catch (error) {
      if (scope.signal.aborted) throw error;
      failures.push(`${address}: ${systemErrorCode(error) ?? String(error)}`);
    }
  }
  throw new PeapodError(
    "ServiceUnavailable",
    `connect to localhost:${port} inside the pod: ${failures.join(", ")}`,
  );
}

/** An unconnected socket that belongs to the namespace. */
async function socketIn(netns: string, domain: number): Promise<Socket> {
  const calls = await systemCalls();
  const fd = await visitNamespace(netns, "network", () => calls?.socket(domain, streamSocket) ?? -1);
  return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
}

function connected(made: Socket | undefined, port: number, address: string, scope: Scope): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const target = { port, host: address, allowHalfOpen: true };
    const socket = made === undefined ? connect(target) : made.connect(target);
    const onAbort = () => socket.destroy(scope.signal.reason);
    scope.signal.addEventListener("abort", onAbort, { once: true });
    const settle = () => {
      scope.signal.removeEventListener("abort", onAbort);
      socket.off("error", fail);
    };
    const fail = (error: Error) => {
      settle();
      socket.destroy();
      reject(error);
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      settle();
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Where system calls can't be made: socat(1) in the namespace. A refused connection shows as an early end. */
function connectByTool(netns: string, port: number): Duplex {
  const [program = "", ...words] = insideNamespaces({ net: netns });
  const args = [...words, "socat", "-t", "86400", "STDIO", `TCP:localhost:${port}`];
  const child = startProcess(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new PeapodError("InternalError", "a process without pipes");
  const stream = Duplex.from({ readable: stdout, writable: stdin } as never);
  child.once("error", (error) => stream.destroy(error));
  stream.once("close", () => child.kill());
  return stream;
}
