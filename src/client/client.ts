import type { Scope } from "../base/scope.ts";
import type { KubernetesObject, Pod } from "../kube/types.ts";
import { type Connect, unixSocket } from "./connect.ts";
import {
  aggregatedDiscoveryType,
  type DiscoveredType,
  type DiscoveryDocument,
  discoveredTypes,
} from "./discovery.ts";
import { type HttpRequest, readText, sendRequest } from "./http.ts";
import { pods, type ResourceReference, type ResourceType, resourcePath } from "./resources.ts";
import { statusError } from "./status.ts";
import { type WatchChange, type WatchOptions, watchObjects } from "./watch.ts";

/** Narrows a list or a watch, in Kubernetes' selector syntax. */
export interface Selectors {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** A list as the API answers it. */
export interface ObjectList<T> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly resourceVersion?: string; readonly [field: string]: unknown };
  readonly items: readonly T[];
}

/** Query of the log subresource: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/. */
export interface LogQuery {
  readonly container?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly previous?: boolean | undefined;
  /** An instance as the container's status names it; other API servers than Peapod's don't know this and ignore it. */
  readonly containerID?: string | undefined;
  readonly timestamps?: boolean | undefined;
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  readonly sinceTime?: string | undefined;
  readonly limitBytes?: number | undefined;
}

/** Body of a delete: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** What becomes of the objects that it owns; absent: Background. */
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

type QueryValue = string | number | boolean | undefined;

/**
 * A client of a Kubernetes API server. Every method rejects with a PeapodError: `NodeUnreachable` when the
 * server does not answer, else the code of the Status that it sent (kept in `details`). Nothing is retried but
 * a watch.
 */
export interface Client {
  get<T = KubernetesObject>(type: ResourceType, reference: ResourceReference, scope: Scope): Promise<T>;
  list<T = KubernetesObject>(
    type: ResourceType,
    options: { namespace?: string | undefined } & Selectors,
    scope: Scope,
  ): Promise<ObjectList<T>>;
  /**
   * One object or a collection as the server's own table; `wholeObjects` puts each object beside its row,
   * `parameters` are query parameters of the type's own.
   */
  table(
    type: ResourceType,
    reference: ResourceReference &
      Selectors & {
        readonly wholeObjects?: boolean;
        readonly parameters?: Readonly<Record<string, QueryValue>>;
      },
    scope: Scope,
  ): Promise<Table>;
  create<T = KubernetesObject>(
    type: ResourceType,
    namespace: string | undefined,
    object: object,
    scope: Scope,
  ): Promise<T>;
  /** A JSON merge patch (RFC 7386). */
  patch<T = KubernetesObject>(
    type: ResourceType,
    reference: ResourceReference,
    patch: object,
    scope: Scope,
  ): Promise<T>;
  delete(
    type: ResourceType,
    reference: ResourceReference,
    options: DeleteOptions,
    scope: Scope,
  ): Promise<KubernetesObject>;
  /** Every change, resumed over lost connections. See {@link watchObjects}. */
  watch<T extends WatchedObject | Table = KubernetesObject>(
    type: ResourceType,
    options: WatchOptions,
    scope: Scope,
  ): AsyncGenerator<WatchChange<T>, void, undefined>;
  /** The bytes of a container's log, as they come when `follow` is set. */
  log(namespace: string, pod: string, query: LogQuery, scope: Scope): Promise<AsyncGenerator<Buffer, void>>;
  /** Every type that the server has, in its order. */
  types(scope: Scope): Promise<readonly DiscoveredType[]>;
  /** Any path, e.g. `/version`; the answer's text. */
  raw(path: string, scope: Scope): Promise<string>;
  /** Opens a connection for protocols of its own (exec's WebSocket). */
  readonly connect: Connect;
}

/** What a watch needs of an object. */
export interface WatchedObject {
  readonly metadata?: Pod["metadata"];
}

/** meta.k8s.io/v1 Table: what kubectl prints. */
export interface Table {
  readonly kind: "Table";
  readonly metadata?: { readonly resourceVersion?: string; readonly annotations?: Record<string, string> };
  readonly columnDefinitions: readonly {
    readonly name: string;
    readonly type: string;
    /** 0 is always shown, anything above only with `-o wide`. */
    readonly priority: number;
  }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object?: WatchedObject }[];
}

const tableMediaType = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/** Where the API is, and who hears the server's `Warning` headers. */
export type ClientOptions = ({ readonly socketPath: string } | { readonly connect: Connect }) & {
  readonly userAgent?: string;
  /** Called once per warning of the server (RFC 9111 section 5.5, code 299), with its text. */
  readonly onWarning?: (text: string) => void;
};

/** A client for one API server; opens a connection per request and keeps none. */
export function createClient(options: ClientOptions): Client {
  const connect = "connect" in options ? options.connect : unixSocket(options.socketPath);

  const open = async (request: HttpRequest, scope: Scope) => {
    const response = await sendRequest(
      connect,
      {
        ...request,
        headers: {
          Accept: "application/json",
          "User-Agent": options.userAgent ?? "peapod",
          ...request.headers,
        },
      },
      scope,
    );
    for (const header of response.headers.get("warning") ?? []) {
      const text = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/.exec(header)?.[1];
      if (text !== undefined) options.onWarning?.(text.replaceAll(/\\(.)/g, "$1"));
    }
    if (response.status >= 400) throw statusError(response.status, await readText(response));
    return response;
  };

  const json = async <T>(request: HttpRequest, scope: Scope): Promise<T> =>
    JSON.parse(await readText(await open(request, scope)));

  const send = <T>(method: string, path: string, type: string, body: object, scope: Scope) =>
    json<T>({ method, path, headers: { "Content-Type": type }, body: JSON.stringify(body) }, scope);

  return {
    connect,
    get: (type, reference, scope) => json({ method: "GET", path: resourcePath(type, reference) }, scope),
    list: (type, { namespace, ...selectors }, scope) =>
      json({ method: "GET", path: withQuery(resourcePath(type, { namespace }), { ...selectors }) }, scope),
    table: (type, { labelSelector, fieldSelector, wholeObjects, parameters, ...reference }, scope) => {
      const includeObject = wholeObjects === true ? "Object" : undefined;
      const path = withQuery(resourcePath(type, reference), {
        ...parameters,
        labelSelector,
        fieldSelector,
        includeObject,
      });
      return json({ method: "GET", path, headers: { Accept: tableMediaType } }, scope);
    },
    create: (type, namespace, object, scope) =>
      send("POST", resourcePath(type, { namespace }), "application/json", object, scope),
    patch: (type, reference, patch, scope) =>
      send("PATCH", resourcePath(type, reference), "application/merge-patch+json", patch, scope),
    delete: (type, reference, body, scope) =>
      send("DELETE", resourcePath(type, reference), "application/json", body, scope),
    watch: (type, watchOptions, scope) => {
      const { namespace, labelSelector, fieldSelector } = watchOptions;
      const path = resourcePath(type, { namespace });
      const headers = watchOptions.table === true ? { Accept: tableMediaType } : {};
      const list = withQuery(path, { labelSelector, fieldSelector });
      const watch = { labelSelector, fieldSelector, watch: true, allowWatchBookmarks: true };
      return watchObjects(
        {
          list: (scope) => json({ method: "GET", path: list, headers }, scope),
          watch: async (resourceVersion, scope) =>
            (
              await open(
                { method: "GET", path: withQuery(path, { ...watch, resourceVersion }), headers },
                scope,
              )
            ).body,
        },
        watchOptions,
        scope,
      );
    },
    log: async (namespace, pod, query, scope) => {
      const path = resourcePath(pods, { namespace, name: pod, subresource: "log" });
      return (
        await open({ method: "GET", path: withQuery(path, { ...query }), headers: { Accept: "*/*" } }, scope)
      ).body;
    },
    types: async (scope) => {
      const headers = { Accept: aggregatedDiscoveryType };
      const documents = ["/api", "/apis"].map((path) =>
        json<DiscoveryDocument>({ method: "GET", path, headers }, scope),
      );
      return (await Promise.all(documents)).flatMap(discoveredTypes);
    },
    raw: async (path, scope) =>
      readText(await open({ method: "GET", path, headers: { Accept: "*/*" } }, scope)),
  };
}

/** The path with those of the parameters that are set (false and undefined are not). */
function withQuery(path: string, parameters: Readonly<Record<string, QueryValue>>): string {
  const query = Object.entries(parameters)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return query.length === 0 ? path : `${path}?${query.join("&")}`;
}
