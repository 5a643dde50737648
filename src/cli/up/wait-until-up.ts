import { type Scope, withSignal } from "../../base/scope.ts";
import type { Client } from "../../client/client.ts";
import { events, pods } from "../../client/resources.ts";
import type { Event, StoredPod } from "../../kube/types.ts";
import { containerProgress, type PodVerdict, podVerdict } from "./pod-progress.ts";
import type { ProgressDisplay } from "./progress-display.ts";

/** How a pod that was waited for ended up; `deleted`: somebody removed it meanwhile. */
export interface WaitedPod {
  readonly pod: StoredPod;
  readonly verdict: PodVerdict | { readonly state: "deleted" };
}

/**
 * Waits until every pod is ready or has succeeded, or until one has failed, showing their containers' progress and
 * the node's warnings meanwhile. The pods must be of one namespace; they are waited for from the version given.
 */
export async function waitUntilUp(
  client: Client,
  targets: readonly StoredPod[],
  display: ProgressDisplay,
  scope: Scope,
): Promise<WaitedPod[]> {
  const namespace = targets[0]?.metadata.namespace;
  const done = new AbortController();
  const inner = withSignal(scope, done.signal);
  const current = new Map(targets.map((pod) => [pod.metadata.uid, pod]));
  const verdicts = new Map<string, WaitedPod["verdict"]>();
  const shownEvents = new Set<string>();
  const notes = new Map<string, Map<string, string>>();

  const look = (pod: StoredPod) => {
    const { uid, name } = pod.metadata;
    current.set(uid, pod);
    display.update(name, containerProgress(pod), notes.get(uid) ?? new Map());
    const verdict = podVerdict(pod);
    if (verdict.state === "pending") verdicts.delete(uid);
    else verdicts.set(uid, verdict);
  };
  const onEvent = (event: Event) => {
    const { uid = "", fieldPath } = event.involvedObject;
    const pod = current.get(uid);
    const key = `${event.metadata?.uid} ${event.count ?? 1}`;
    if (pod === undefined || shownEvents.has(key)) return;
    shownEvents.add(key);
    const container = /^spec\.(?:initC|c)ontainers\{(.+)\}$/.exec(fieldPath ?? "")?.[1];
    if (event.type === "Warning") {
      const where = container === undefined ? pod.metadata.name : `${pod.metadata.name} ${container}`;
      display.line(`Warning: ${where}: ${event.reason}: ${event.message}`);
    } else if (event.reason === "Pulling" && container !== undefined) {
      notes.set(uid, (notes.get(uid) ?? new Map()).set(container, event.message ?? "Pulling"));
      look(pod);
    }
  };
  const isDecided = () =>
    verdicts.size === targets.length || [...verdicts.values()].some(({ state }) => state === "failed");

  for (const pod of targets) look(pod);
  // A pod that is up within a moment costs no second watch: its warnings are listed at the end.
  const watchingEvents = scope.clock.sleep(150, inner.signal).then(async () => {
    for await (const { object } of client.watch<Event>(events, { namespace }, inner)) onEvent(object);
  });
  watchingEvents.catch(() => {});

  try {
    const resourceVersion = lowestVersion(targets);
    for await (const { type, object } of isDecided()
      ? []
      : client.watch<StoredPod>(pods, { namespace, resourceVersion }, inner)) {
      if (!current.has(object.metadata.uid)) continue;
      if (type === "DELETED") verdicts.set(object.metadata.uid, { state: "deleted" });
      else look(object);
      if (isDecided()) break;
    }
    scope.signal.throwIfAborted();
  } finally {
    done.abort();
  }
  const warnings = await client.list<Event>(events, { namespace, fieldSelector: "type=Warning" }, scope);
  warnings.items.forEach(onEvent);
  return [...current.values()].map((pod) => ({
    pod,
    verdict: verdicts.get(pod.metadata.uid) ?? { state: "pending" },
  }));
}

/** Versions are numbers here as on every server since Kubernetes 1.35; where not, the first pod's is the oldest. */
function lowestVersion(targets: readonly StoredPod[]): string | undefined {
  const versions = targets.map((pod) => pod.metadata.resourceVersion);
  return versions.sort((a, b) => Number(a) - Number(b))[0];
}
