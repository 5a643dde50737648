import { explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { Diagnoser } from "../diagnose/live/diagnoser.ts";
import type { StoredPod } from "../kube/types.ts";
import type { EventRecorder } from "../node/event-recorder.ts";
import type { Store } from "../store/types.ts";

/** Between two looks at the pods that aren't healthy. */
const intervalMilliseconds = 5_000;
/** A pod gets this long after its start before anything is said about it. */
const patienceMilliseconds = 5_000;

/**
 * Writes what is found about pods that aren't healthy as Warning events of the pod: reason `Diagnosis` and the
 * rule's name (`DiagnosisPortTaken`), the finding and its fix as the message. Each finding is written once as long
 * as it lasts.
 */
export function startDiagnosisEvents(
  parts: { readonly store: Store; readonly diagnoser: Diagnoser; readonly events: EventRecorder },
  outerScope: Scope,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const scope = { ...outerScope, signal: AbortSignal.any([outerScope.signal, stopping.signal]) };
  const said = new Map<string, ReadonlySet<string>>();
  const running = (async () => {
    while (!scope.signal.aborted) {
      await scope.clock.sleep(intervalMilliseconds, scope.signal).catch(() => {});
      if (scope.signal.aborted) return;
      const pods = parts.store.list("pods").items as unknown as StoredPod[];
      const alive = new Set(pods.map(({ metadata }) => metadata.uid));
      for (const uid of said.keys()) if (!alive.has(uid)) said.delete(uid);
      for (const pod of pods) {
        if (!isUnhealthy(pod, scope.clock.now())) said.delete(pod.metadata.uid);
        else await tell(pod, parts, said, scope);
      }
    }
  })();
  return {
    async stop() {
      stopping.abort(new Error("the node daemon is stopping"));
      await running;
    },
  };
}

async function tell(
  pod: StoredPod,
  { diagnoser, events }: Parameters<typeof startDiagnosisEvents>[0],
  said: Map<string, ReadonlySet<string>>,
  scope: Scope,
): Promise<void> {
  try {
    const { findings } = await diagnoser.diagnose(pod, undefined, scope);
    const before = said.get(pod.metadata.uid);
    const now = new Set<string>();
    for (const { rule, severity, containers, message, fix } of findings) {
      if (severity === "info") continue;
      // Numbers in a message (attempts, restarts, bytes) change while the finding stays the same.
      const key = `${rule} ${containers.join(" ")}`;
      now.add(key);
      if (before?.has(key) === true) continue;
      events.record(pod, "Warning", diagnosisReason(rule), `${message}. Fix: ${fix}`, scope, containers[0]);
    }
    said.set(pod.metadata.uid, now);
  } catch (error) {
    if (scope.signal.aborted) return;
    scope.log.warn({ pod: pod.metadata.name, error: explain(error) }, "diagnosis for events failed");
  }
}

/** `port-taken` as an event's reason: `DiagnosisPortTaken`. */
export function diagnosisReason(rule: string): string {
  return `Diagnosis${rule.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
}

/** Whether something of the pod does not go as it should: it failed, or isn't ready some seconds after its start. */
export function isUnhealthy({ metadata, status }: StoredPod, now: number): boolean {
  if (metadata.deletionTimestamp !== undefined || status?.phase === "Succeeded") return false;
  if (now - Date.parse(metadata.creationTimestamp) < patienceMilliseconds) return false;
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return (
    status?.phase === "Failed" ||
    statuses.some(
      ({ state, lastState, ready }) =>
        (state?.terminated !== undefined && state.terminated.exitCode !== 0) ||
        (state?.waiting !== undefined && state.waiting.reason !== "PodInitializing") ||
        (state?.running !== undefined && (ready === false || lastState?.terminated !== undefined)),
    )
  );
}
