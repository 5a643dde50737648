import { connect as connectTCP, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTLS } from "node:tls";
import { explain, PeapodError } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { Connect } from "../../client/connect.ts";
import { type Credentials, credentialsOf, pemOf } from "./credentials.ts";
import type { ChosenContext } from "./kubeconfig.ts";

/** Connects to the API server of a context, with its credentials. Reads files and runs plugins at the first request. */
export function connectCluster({ name, cluster, user }: ChosenContext): Connect {
  const url = new URL(cluster.server ?? "");
  if (!["https:", "http:"].includes(url.protocol) || cluster["proxy-url"]) {
    const what = cluster["proxy-url"] ? "proxy-url" : `the server ${cluster.server}`;
    throw new PeapodError("Unsupported", `context "${name}": ${what} is not supported`);
  }
  const isPlain = url.protocol === "http:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || (isPlain ? 80 : 443));
  let known: Promise<Credentials> | undefined;
  const credentials = (scope: Scope) => {
    known ??= credentialsOf(user, scope);
    return known;
  };
  const open = async (scope: Scope): Promise<Duplex> => {
    if (isPlain) return connectTCP({ host, port });
    const { certificate, key } = await credentials(scope);
    const ca = pemOf(cluster["certificate-authority-data"], cluster["certificate-authority"]);
    const servername = cluster["tls-server-name"] ?? (isIP(host) === 0 ? host : undefined);
    return connectTLS({
      host,
      port,
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: cluster["insecure-skip-tls-verify"] !== true,
      ...(servername === undefined ? {} : { servername }),
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    });
  };
  const connect = async (scope: Scope) => {
    scope.signal.throwIfAborted();
    const socket = await open(scope);
    try {
      await opened(socket, isPlain ? "connect" : "secureConnect", scope);
    } catch (cause) {
      socket.destroy();
      if (scope.signal.aborted) throw scope.signal.reason;
      const where = `the cluster of context "${name}" at ${url.host}`;
      throw new PeapodError("NodeUnreachable", `connect to ${where}: ${explain(cause)}`, { cause });
    }
    return socket;
  };
  return Object.assign(connect, {
    server: {
      host: url.host,
      pathPrefix: url.pathname.replace(/\/+$/, ""),
      headers: async (scope: Scope) => (await credentials(scope)).headers,
    },
  });
}

/** Resolves when the connection stands. */
function opened(socket: Duplex, event: string, scope: Scope): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => socket.destroy(scope.signal.reason);
    scope.signal.addEventListener("abort", onAbort, { once: true });
    const settle = (finish: () => void) => {
      scope.signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners("error");
      finish();
    };
    socket.once(event, () => settle(resolve));
    socket.once("error", (error) => settle(() => reject(error)));
  });
}
