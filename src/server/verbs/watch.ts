import { PeapodError } from "../../base/errors.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import type { ObjectFilter } from "../../store/types.ts";
import { objectFilter, wholeNumber } from "../list-options.ts";
import { type ApiAnswer, type ApiRequest, flag } from "../request.ts";
import { apiVersionOf, resourceName } from "../resource.ts";
import { failureStatus } from "../status.ts";
import { representObject } from "../table/represent.ts";

/** Milliseconds of quiet between bookmarks: the API server's own interval. */
const bookmarkInterval = 60_000;
/** A watch that ends sooner gets one so many milliseconds before its end, as from the API server. */
const bookmarkBeforeEnd = 2_000;

/**
 * How long, in milliseconds, a client may leave a frame unread that its connection has no room for. The API server
 * is stricter: it gives a watcher whose buffer is full a tenth of a second.
 */
const slowestReader = 10_000;

interface WatchStart {
  /** Watch on after this version; undefined: after the list that comes first. */
  readonly resourceVersion: string | undefined;
  /** Begin with every present object as ADDED. */
  readonly listFirst: boolean;
  /** Mark the end of those with a bookmark. */
  readonly markListEnd: boolean;
}

/**
 * GET of a collection with `watch=1`: newline-separated `{type, object}` frames until the client goes away or
 * `timeoutSeconds` pass, or until the client reads too slowly. A failure after the first byte comes as an ERROR frame with a Status
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 */
export function watch(request: ApiRequest): ApiAnswer {
  const filter = objectFilter(request);
  const start = watchStart(request.query);
  const timeout = wholeNumber(request.query, "timeoutSeconds");
  const { signal } = request.scope;
  const until =
    timeout === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeout * 1_000)]);
  const quiet =
    timeout === undefined
      ? bookmarkInterval
      : Math.max(Math.min(bookmarkInterval, timeout * 1_000 - bookmarkBeforeEnd), 1_000);
  return {
    stream: frames(request, filter, start, quiet, until),
    contentType: "application/json",
    slowestReader,
  };
}

async function* frames(
  request: ApiRequest,
  filter: ObjectFilter,
  start: WatchStart,
  quiet: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const { context, resource, query } = request;
  const bookmarks = flag(query, "allowWatchBookmarks");
  const isPlain = request.representation.as === "Object";
  let first = true;
  const frame = (type: string, object: KubernetesObject) => {
    const shown = representObject(request, object, { columns: first });
    first = false;
    return `${JSON.stringify({ type, object: shown })}\n`;
  };
  const bookmark = (resourceVersion: string, annotations?: Record<string, string>) => {
    const metadata = {
      resourceVersion,
      creationTimestamp: null,
      ...(annotations === undefined ? {} : { annotations }),
    };
    const object = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
    return frame("BOOKMARK", object as unknown as KubernetesObject);
  };

  try {
    let resourceVersion = start.resourceVersion ?? context.store.resourceVersion();
    if (start.listFirst) {
      const list = context.store.list(resourceName(resource), filter);
      resourceVersion = list.resourceVersion;
      if (list.json !== undefined && isPlain) for (const json of list.json) yield plainFrame("ADDED", json);
      else for (const object of list.items) yield frame("ADDED", object);
      if (start.markListEnd) yield bookmark(resourceVersion, { "k8s.io/initial-events-end": "true" });
    }
    const options = { resourceVersion, filter, signal, ...(bookmarks ? { bookmarkInterval: quiet } : {}) };
    for await (const event of context.store.watch(resourceName(resource), options)) {
      if (event.type === "BOOKMARK") yield bookmark(event.object.metadata.resourceVersion);
      else if (event.json !== undefined && isPlain) yield plainFrame(event.type, event.json);
      else yield frame(event.type, event.object);
    }
  } catch (error) {
    if (signal.aborted) return;
    yield `${JSON.stringify({ type: "ERROR", object: failureStatus(error) })}\n`;
  }
}

/** A frame out of an object's JSON, which many watchers share and none has to parse. */
function plainFrame(type: string, json: string): string {
  return `{"type":"${type}","object":${json}}\n`;
}

/**
 * Where a watch begins: the meaning of `resourceVersion` for watches
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-watch) and of streaming lists.
 */
export function watchStart(query: URLSearchParams): WatchStart {
  const asked = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  if (!/^\d{0,15}$/.test(asked)) {
    throw new PeapodError("BadRequest", `resourceVersion: Invalid value: ${JSON.stringify(asked)}`);
  }
  const initial = query.has("sendInitialEvents") ? flag(query, "sendInitialEvents") : undefined;
  if (initial === undefined && match !== "")
    throw forbidden("is forbidden for watch unless sendInitialEvents is provided");
  if (initial !== undefined && match !== "NotOlderThan") {
    throw forbidden("must be NotOlderThan when sendInitialEvents is provided");
  }
  const anyVersion = asked === "" || asked === "0";
  if (initial === true)
    return { resourceVersion: undefined, listFirst: true, markListEnd: flag(query, "allowWatchBookmarks") };
  const listFirst = initial === undefined && anyVersion;
  return { resourceVersion: anyVersion ? undefined : asked, listFirst, markListEnd: false };
}

function forbidden(words: string): PeapodError {
  const message = `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch ${words}`;
  return new PeapodError("Invalid", message, {
    details: {
      group: "meta.k8s.io",
      kind: "ListOptions",
      causes: [{ field: "resourceVersionMatch", message: words }],
    },
  });
}
