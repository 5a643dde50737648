import { type Scope, withSignal } from "../base/scope.ts";
import type { ChannelObserver } from "../channels/types.ts";
import type { NodeStreams } from "../node/types.ts";
import type { Store } from "../store/types.ts";
import { acceptExec } from "./exec/upgrade.ts";
import { createApp } from "./http/app.ts";
import { bindPrivately } from "./http/private-socket.ts";
import type { ImageLibrary } from "./image-library.ts";
import { ListPages } from "./list-pages.ts";
import { startNamespaceFinalizer } from "./namespace-finalizer.ts";
import { ensureNamespaces } from "./permanent-namespaces.ts";
import type { ApiContext } from "./request.ts";
import { resources } from "./resources/registry.ts";

export interface ServerOptions {
  /** Where to listen; only the owner can connect, there is no other authentication. At most 98 bytes. */
  readonly socketPath: string;
  readonly store: Store;
  readonly streams: NodeStreams;
  readonly channels: ChannelObserver;
  readonly images: ImageLibrary;
  /** The Node object to which every pod is bound. */
  readonly nodeName: string;
  /** What `/readyz` says. */
  readonly ready: () => boolean;
  /** Peapod's version. */
  readonly version: string;
  readonly scope: Scope;
}

/**
 * Serves the Kubernetes API (docs/reference/api.md) on a Unix socket. Resolves when it accepts connections.
 * `close` ends watches, log streams and exec sessions, then resolves when the socket is gone; idempotent.
 */
export async function startServer(options: ServerOptions): Promise<{ close(): Promise<void> }> {
  const { socketPath, store, streams, channels, images, nodeName } = options;
  const closing = new AbortController();
  const scope = withSignal(options.scope, closing.signal);
  const pages = new ListPages(scope.clock);
  const context: ApiContext = { store, streams, channels, images, nodeName, resources, pages, scope };
  ensureNamespaces(context);

  const app = createApp(context, options);
  const endExecSessions = acceptExec(app.server, context);
  const removeSocket = await bindPrivately(socketPath, (path) => app.listen({ path }));
  const finalizer = startNamespaceFinalizer(context);
  let closed: Promise<void> | undefined;
  return {
    close() {
      closed ??= (async () => {
        removeSocket();
        closing.abort(new Error("the server is closing"));
        endExecSessions();
        await finalizer.stop();
        await app.close();
      })();
      return closed;
    },
  };
}
