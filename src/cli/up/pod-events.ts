import type { Event, StoredPod } from "../../kube/types.ts";

/** What one event means to somebody who waits for a pod. */
export type EventNews =
  | { readonly type: "warning"; readonly text: string }
  | { readonly type: "note"; readonly podUID: string; readonly container: string; readonly text: string };

/**
 * Picks out of a namespace's events those that are news about the given pods: each once, however often it is repeated, and none that is older
 * than the pod's version given (an unchanged pod's old troubles are no news).
 */
export class PodEvents {
  readonly #since: ReadonlyMap<string, StoredPod>;
  readonly #seen = new Set<string>();

  constructor(pods: readonly StoredPod[]) {
    this.#since = new Map(pods.map((pod) => [pod.metadata.uid, pod]));
  }

  /** The news in the event, or undefined when it has none. */
  take(event: Event): EventNews | undefined {
    const { uid = "", fieldPath } = event.involvedObject;
    const pod = this.#since.get(uid);
    const version = event.metadata?.resourceVersion ?? "0";
    if (pod === undefined || Number(version) <= Number(pod.metadata.resourceVersion)) return undefined;
    const container = /^spec\.(?:initC|c)ontainers\{(.+)\}$/.exec(fieldPath ?? "")?.[1];
    const text = (event.message ?? "").trim();
    const key = [uid, container, event.reason, text].join("\n");
    if (this.#seen.has(key)) return undefined;
    this.#seen.add(key);
    if (event.type === "Warning") {
      const where = container === undefined ? pod.metadata.name : `${pod.metadata.name} ${container}`;
      return { type: "warning", text: `Warning: ${where}: ${event.reason}: ${text}` };
    }
    if (event.reason !== "Pulling" || container === undefined) return undefined;
    return { type: "note", podUID: uid, container, text };
  }
}

/** In the order in which they were written; versions are numbers on this server. */
export function inOrder(events: readonly Event[]): Event[] {
  const version = ({ metadata }: Event) => Number(metadata?.resourceVersion ?? 0);
  return events.toSorted((a, b) => version(a) - version(b));
}
