import { PeapodError } from "../base/errors.ts";
import { type Scope, withSignal } from "../base/scope.ts";
import type { ChannelObserver } from "../channels/types.ts";
import type { ControllerObjects } from "../controllers/types.ts";
import type { Diagnoser } from "../diagnose/live/diagnoser.ts";
import type { AddressRange } from "../kube/address-range.ts";
import type { TokenKey } from "../kube/service-account-token.ts";
import type { NodeStreams } from "../node/types.ts";
import type { Store } from "../store/types.ts";
import type { AccessControl } from "./access/access-control.ts";
import { anyOf, type TokenReviewer } from "./access/authenticate.ts";
import { ensureDefaultRoles } from "./access/default-roles.ts";
import { createGate } from "./access/gate.ts";
import { kubeconfig } from "./access/kubeconfig.ts";
import { serviceAccountTokens } from "./access/service-account-tokens.ts";
import { socketUser } from "./access/user.ts";
import { controllerObjects } from "./controller-objects.ts";
import { startGarbageCollector } from "./garbage-collector.ts";
import { createApp } from "./http/app.ts";
import { bindPrivately } from "./http/private-socket.ts";
import { userOf } from "./http/request-user.ts";
import type { ImageLibrary } from "./image-library.ts";
import { ListPages } from "./list-pages.ts";
import { startNamespaceFinalizer } from "./namespace-finalizer.ts";
import { ensureNamespaces } from "./permanent-namespaces.ts";
import { ensurePriorityClasses } from "./policies/priority.ts";
import { startQuotaStatus } from "./policies/quota-status.ts";
import type { ApiContext } from "./request.ts";
import { resources } from "./resources/registry.ts";
import { acceptStreams } from "./streams/upgrade.ts";
import { listenTLS, type TLSOptions } from "./tls-listener.ts";
import { UsageMeter, type UsageSource } from "./usage.ts";

export interface ServerOptions {
  /** Where to listen; only the owner can connect, there is no other authentication. At most 98 bytes. */
  readonly socketPath: string;
  readonly store: Store;
  readonly streams: NodeStreams;
  readonly channels: ChannelObserver;
  readonly images: ImageLibrary;
  /** Absent: diagnoses can't be asked for. */
  readonly diagnoser?: Diagnoser;
  /** What containers use, for `kubectl top`; absent: nothing is known. */
  readonly usage?: UsageSource;
  /** The Node object to which every pod is bound. */
  readonly nodeName: string;
  /** Where Services get their addresses from; absent: 10.96.0.0/12. */
  readonly serviceRange?: AddressRange;
  /** Also serve over TCP with TLS; absent: the Unix socket is the only way in. */
  readonly tls?: TLSAccess;
  /** Signs the tokens of service accounts. */
  readonly tokenKey: TokenKey;
  /** What `/readyz` says. */
  readonly ready: () => boolean;
  /** Peapod's version. */
  readonly version: string;
  readonly scope: Scope;
}

/** How clients come in over TCP. */
export interface TLSAccess extends TLSOptions {
  /** Recognise bearer tokens. */
  readonly tokens: readonly TokenReviewer[];
  /** What the administrator's kubeconfig presents. */
  readonly admin: { readonly certificate: string; readonly key: string };
}

/**
 * Serves the Kubernetes API (docs/reference/api.md) on a Unix socket, and over TLS when asked to. Resolves when it accepts
 * connections; `port` is the TCP port, `objects` the same API for controllers in this process.
 * `close` ends watches, log streams and exec sessions, then resolves when the socket is gone; idempotent.
 */
export async function startServer(options: ServerOptions): Promise<{
  readonly port: number | undefined;
  readonly objects: ControllerObjects;
  close(): Promise<void>;
}> {
  const { socketPath, tls, store, streams, channels, images, nodeName, tokenKey } = options;
  const closing = new AbortController();
  const scope = withSignal(options.scope, closing.signal);
  const pages = new ListPages(scope.clock);
  const reviewers = [...(tls?.tokens ?? []), serviceAccountTokens(store, tokenKey, scope.clock)];
  const access: AccessControl = {
    tokenKey,
    reviewToken: anyOf(reviewers),
    authority: tls?.authority ?? "",
  };
  const context: ApiContext = {
    store,
    access,
    streams,
    channels,
    images,
    usage: new UsageMeter(options.usage ?? { sample: () => [] }),
    ...(options.diagnoser === undefined ? {} : { diagnoser: options.diagnoser }),
    nodeName,
    ...(options.serviceRange === undefined ? {} : { serviceRange: options.serviceRange }),
    resources,
    pages,
    scope,
  };
  ensureNamespaces(context);
  ensureDefaultRoles(context);
  ensurePriorityClasses(context);

  const admit = createGate(access, store, scope.clock);
  const app = createApp(context, { ...options, admit });
  if (tls !== undefined) {
    app.get("/kubeconfig", async (request, reply) => {
      if (userOf(request) !== socketUser) throw new PeapodError("NotFound", "not over TCP");
      const { authority, admin, host } = tls;
      const server = `https://${host}:${listener?.port}`;
      return reply.type("application/yaml").send(kubeconfig({ server, authority, ...admin }));
    });
  }
  await app.ready();
  const listener = tls === undefined ? undefined : await listenTLS(tls, app.routing);
  const servers = listener === undefined ? [app.server] : [app.server, listener.server];
  const endStreams = acceptStreams(servers, context, admit);
  const removeSocket = await bindPrivately(socketPath, (path) => app.listen({ path }));
  const finalizer = startNamespaceFinalizer(context);
  const collector = startGarbageCollector(context);
  const quotas = startQuotaStatus(context);
  let closed: Promise<void> | undefined;
  return {
    port: listener?.port,
    objects: controllerObjects(context),
    close() {
      closed ??= (async () => {
        removeSocket();
        closing.abort(new Error("the server is closing"));
        endStreams();
        await Promise.all([finalizer.stop(), collector.stop(), quotas.stop()]);
        await listener?.close();
        await app.close();
      })();
      return closed;
    },
  };
}
