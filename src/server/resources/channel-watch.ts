import type { Channel } from "../../channels/types.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { objectFilter, wholeNumber } from "../list-options.ts";
import { type ApiAnswer, type ApiRequest, flag } from "../request.ts";
import { apiVersionOf } from "../resource.ts";
import { failureStatus } from "../status.ts";
import { representObject } from "../table/represent.ts";
import { watchStart } from "../verbs/watch.ts";
import { channelInterest, missingEvidenceAnnotation } from "./channel-interest.ts";

/** The observer's own pace while somebody asks. */
const lookMilliseconds = 1_000;

/**
 * Watch of channels: what changed from one look to the next. There is no history of looks, so a watch that begins
 * at a version tells of changes from now on; frames are those of any other watch. The evidence that this machine
 * can't give stands on bookmarks (`allowWatchBookmarks`), one at the start and one whenever it changes.
 */
export function watchChannels(request: ApiRequest): ApiAnswer {
  const start = watchStart(request.query);
  const timeout = wholeNumber(request.query, "timeoutSeconds");
  const { signal } = request.scope;
  const until =
    timeout === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeout * 1_000)]);
  return { stream: frames(request, start, until), contentType: "application/json" };
}

async function* frames(
  request: ApiRequest,
  start: ReturnType<typeof watchStart>,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const { context, resource, query } = request;
  const scope = { ...request.scope, signal };
  const passes = objectFilter(request);
  const bookmarks = flag(query, "allowWatchBookmarks");
  const interest = channelInterest(query);
  const known = new Map<string, { readonly text: string; readonly object: KubernetesObject }>();
  let columns = true;
  let missingText: string | undefined;
  let firstLook = true;
  const frame = (type: string, object: KubernetesObject) => {
    const shown = representObject(request, object, { columns });
    columns = false;
    return `${JSON.stringify({ type, object: shown })}\n`;
  };

  try {
    while (!signal.aborted) {
      const { channels, missing } = await context.channels.list(scope, interest);
      const silent = firstLook && !start.listFirst;
      const present = new Set<string>();
      for (const channel of channels) {
        const object = channel as unknown as KubernetesObject;
        const { namespace, name } = channel.metadata;
        if (request.namespace !== "" && namespace !== request.namespace) continue;
        if (passes.matches?.(object) === false) continue;
        const key = `${namespace}/${name}`;
        const text = withoutLastSeen(channel);
        const before = known.get(key);
        present.add(key);
        known.set(key, { text, object });
        if (silent || before?.text === text) continue;
        yield frame(before === undefined ? "ADDED" : "MODIFIED", object);
      }
      for (const [key, { object }] of known) {
        if (present.has(key)) continue;
        known.delete(key);
        yield frame("DELETED", object);
      }
      const nowMissing = JSON.stringify(missing);
      if (bookmarks && nowMissing !== missingText) {
        yield frame("BOOKMARK", bookmark(request, nowMissing, firstLook && start.markListEnd));
      }
      missingText = nowMissing;
      firstLook = false;
      await scope.clock.sleep(lookMilliseconds, signal);
    }
  } catch (error) {
    if (signal.aborted) return;
    yield `${JSON.stringify({ type: "ERROR", object: failureStatus(error) })}\n`;
  }

  function bookmark({ context }: ApiRequest, missing: string, endsList: boolean): KubernetesObject {
    const annotations = {
      [missingEvidenceAnnotation]: missing,
      ...(endsList ? { "k8s.io/initial-events-end": "true" } : {}),
    };
    const metadata = {
      resourceVersion: context.store.resourceVersion(),
      creationTimestamp: null,
      annotations,
    };
    return {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata,
    } as unknown as KubernetesObject;
  }
}

/** That a channel was looked at again is no change of it. */
function withoutLastSeen({ status, ...rest }: Channel): string {
  return JSON.stringify({ ...rest, status: { ...status, lastSeen: "" } });
}
