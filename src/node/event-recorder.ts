import { kubernetesTime } from "../base/clock.ts";
import { explain, isConflict, isNotFound } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { StoredPod } from "../kube/types.ts";
import type { Store } from "../store/types.ts";

const component = "kubelet";

/** Repetitions within this time count up one event instead of making another (client-go's correlator: 10 min). */
const aggregationMilliseconds = 600_000;

/** Writes pod events with the kubelet's reasons; a repeated one counts up. Failing to write one is only logged. */
export class EventRecorder {
  readonly #store: Store;
  readonly #nodeName: string;
  readonly #recent = new Map<string, { name: string; namespace: string; at: number }>();
  #lastTime = 0n;

  constructor(store: Store, nodeName: string) {
    this.#store = store;
    this.#nodeName = nodeName;
  }

  /** `container` is the container's name when the event concerns one. */
  record(
    pod: StoredPod,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    scope: Scope,
    container?: string,
  ): void {
    const now = scope.clock.now();
    const key = [pod.metadata.uid, type, reason, message, container ?? ""].join("\0");
    try {
      if (!this.#countUp(key, now)) this.#create(key, pod, type, reason, message, now, container);
    } catch (error) {
      scope.log.warn({ reason, error: explain(error) }, "event not recorded");
    }
  }

  /** Forgets a pod that is gone. */
  forget(podUID: string): void {
    for (const key of this.#recent.keys()) if (key.startsWith(podUID)) this.#recent.delete(key);
  }

  #countUp(key: string, now: number): boolean {
    const recent = this.#recent.get(key);
    if (recent === undefined || now - recent.at > aggregationMilliseconds) return false;
    try {
      this.#store.update({ resource: "events", namespace: recent.namespace, name: recent.name }, (event) => ({
        ...event,
        count: ((event.count as number | undefined) ?? 1) + 1,
        lastTimestamp: kubernetesTime(now),
      }));
      this.#recent.set(key, { ...recent, at: now });
      return true;
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return false;
      throw error;
    }
  }

  /** Nanoseconds since 1970, later with every call: client-go names events by them, so that names sort by time. */
  #uniqueTime(now: number): bigint {
    const time = BigInt(now) * 1_000_000n;
    this.#lastTime = time > this.#lastTime ? time : this.#lastTime + 1n;
    return this.#lastTime;
  }

  #create(
    key: string,
    pod: StoredPod,
    type: string,
    reason: string,
    message: string,
    now: number,
    container: string | undefined,
  ): void {
    const { namespace, name: podName, uid, resourceVersion } = pod.metadata;
    const name = `${podName}.${this.#uniqueTime(now).toString(16)}`;
    const isNamed = (candidate: { name: string }) => candidate.name === container;
    const list = pod.spec.initContainers?.some(isNamed)
      ? "initContainers"
      : pod.spec.ephemeralContainers?.some(isNamed)
        ? "ephemeralContainers"
        : "containers";
    const time = kubernetesTime(now);
    this.#store.create("events", {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: "v1",
        kind: "Pod",
        namespace,
        name: podName,
        uid,
        resourceVersion,
        ...(container === undefined ? {} : { fieldPath: `spec.${list}{${container}}` }),
      },
      type,
      reason,
      message,
      source: { component, host: this.#nodeName },
      reportingComponent: component,
      reportingInstance: this.#nodeName,
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    });
    this.#recent.set(key, { name, namespace, at: now });
  }
}
