import { type Scope, withSignal } from "../../base/scope.ts";
import type { Client } from "../../client/client.ts";
import { events, pods } from "../../client/resources.ts";
import type { Event, StoredPod } from "../../kube/types.ts";
import { inOrder, PodEvents } from "./pod-events.ts";
import { containerProgress, type PodVerdict, podVerdict } from "./pod-progress.ts";
import type { ProgressDisplay } from "./progress-display.ts";

/** How a pod that was waited for ended up; `deleted`: somebody removed it meanwhile. */
export interface WaitedPod {
  readonly pod: StoredPod;
  readonly verdict: PodVerdict | { readonly state: "deleted" };
}

/** A pod that is up sooner costs no second watch: its warnings are listed at the end anyway. */
const eventsAfterMilliseconds = 150;

/**
 * Waits until every pod is ready or has succeeded, or until one has failed, showing their containers' progress and
 * the node's warnings meanwhile. The pods must be of one namespace and as the API answered when they were applied.
 */
export async function waitUntilUp(
  client: Client,
  targets: readonly StoredPod[],
  display: ProgressDisplay,
  scope: Scope,
): Promise<WaitedPod[]> {
  const namespace = targets[0]?.metadata.namespace;
  const resourceVersion = lowestVersion(targets);
  const done = new AbortController();
  const inner = withSignal(scope, done.signal);
  const waited = new Map<string, WaitedPod>();
  const notes = new Map<string, Map<string, string>>(
    targets.map(({ metadata }) => [metadata.uid, new Map()]),
  );
  const podEvents = new PodEvents(targets);

  const look = (pod: StoredPod) => {
    const { uid, name } = pod.metadata;
    display.update(name, containerProgress(pod), notes.get(uid) ?? new Map());
    waited.set(uid, { pod, verdict: podVerdict(pod) });
  };
  const listen = (event: Event) => {
    const news = podEvents.take(event);
    if (news?.type === "warning") display.line(news.text);
    if (news?.type !== "note") return;
    notes.get(news.podUID)?.set(news.container, news.text);
    const pod = waited.get(news.podUID)?.pod;
    if (pod !== undefined) look(pod);
  };
  const isDecided = () => {
    const states = [...waited.values()].map(({ verdict }) => verdict.state);
    return states.includes("failed") || !states.includes("pending");
  };

  for (const pod of targets) look(pod);
  const listening = (async () => {
    await scope.clock.sleep(eventsAfterMilliseconds, inner.signal);
    for await (const { object } of client.watch<Event>(events, { namespace, resourceVersion }, inner)) {
      listen(object);
    }
  })();
  // Events only decorate; the pods' own watch reports whatever is wrong with the server.
  listening.catch(() => {});

  try {
    if (isDecided()) return [...waited.values()];
    for await (const { type, object } of client.watch<StoredPod>(
      pods,
      { namespace, resourceVersion },
      inner,
    )) {
      const { uid } = object.metadata;
      if (!waited.has(uid)) continue;
      if (type === "DELETED") waited.set(uid, { pod: object, verdict: { state: "deleted" } });
      else if (isNews(object, waited.get(uid)?.pod)) look(object);
      if (isDecided()) break;
    }
    scope.signal.throwIfAborted();
  } finally {
    done.abort();
  }
  const warnings = await client.list<Event>(events, { namespace, fieldSelector: "type=Warning" }, scope);
  for (const event of inOrder(warnings.items)) listen(event);
  return [...waited.values()];
}

/**
 * The version from which a watch misses no change of any of the pods
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions: numbers that only grow).
 */
export function lowestVersion(targets: readonly StoredPod[]): string | undefined {
  const versions = targets.map(({ metadata }) => metadata.resourceVersion);
  return versions.sort((a, b) => Number(a) - Number(b))[0];
}

/** Whether the state is not older than the one known: a watch from the lowest version repeats what others had before. */
export function isNews(pod: StoredPod, known: StoredPod | undefined): boolean {
  return Number(pod.metadata.resourceVersion) >= Number(known?.metadata.resourceVersion ?? 0);
}
