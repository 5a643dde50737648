import { kubernetesTime } from "../base/clock.ts";
import { explain, isConflict, isNotFound } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { ObjectMetadata, PodSpec } from "../kube/types.ts";
import type { Store } from "../store/types.ts";

/** Repetitions within this time count up one event instead of making another (client-go's correlator: 10 min). */
const aggregationMilliseconds = 600_000;

/** What an event is about; one that does not say what it is is a pod. */
interface Subject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMetadata;
}

/**
 * Writes events as one component of Kubernetes does, by default the kubelet about pods; a repeated one counts up. Failing
 * to write one is only logged.
 */
export class EventRecorder {
  readonly #store: Store;
  readonly #nodeName: string | undefined;
  readonly #component: string;
  readonly #recent = new Map<string, { name: string; namespace: string; at: number }>();
  #lastTime = 0n;

  /** `nodeName`: where the component runs; absent for one that belongs to no node. */
  constructor(store: Store, nodeName: string | undefined, component = "kubelet") {
    this.#store = store;
    this.#nodeName = nodeName;
    this.#component = component;
  }

  /** `container` is the container's name when the event concerns one. */
  record(
    subject: Subject,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    scope: Scope,
    container?: string,
  ): void {
    const now = scope.clock.now();
    const key = [subject.metadata.uid, type, reason, message, container ?? ""].join("\0");
    try {
      if (!this.#countUp(key, now)) this.#create(key, subject, type, reason, message, now, container);
    } catch (error) {
      scope.log.warn({ reason, error: explain(error) }, "event not recorded");
    }
  }

  /** Forgets an object that is gone. */
  forget(uid: string): void {
    for (const key of this.#recent.keys()) if (key.startsWith(uid)) this.#recent.delete(key);
  }

  #countUp(key: string, now: number): boolean {
    const recent = this.#recent.get(key);
    if (recent === undefined) return false;
    if (now - recent.at > aggregationMilliseconds) {
      this.#recent.delete(key);
      return false;
    }
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
    subject: Subject,
    type: string,
    reason: string,
    message: string,
    now: number,
    container: string | undefined,
  ): void {
    const { namespace = "default", name: subjectName, uid, resourceVersion } = subject.metadata;
    const name = `${subjectName}.${this.#uniqueTime(now).toString(16)}`;
    const time = kubernetesTime(now);
    this.#store.create("events", {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: subject.apiVersion ?? "v1",
        kind: subject.kind ?? "Pod",
        namespace,
        name: subjectName,
        uid,
        resourceVersion,
        ...(container === undefined ? {} : { fieldPath: `spec.${listOf(subject, container)}{${container}}` }),
      },
      type,
      reason,
      message,
      source: {
        component: this.#component,
        ...(this.#nodeName === undefined ? {} : { host: this.#nodeName }),
      },
      reportingComponent: this.#component,
      reportingInstance: this.#nodeName ?? "",
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    });
    this.#recent.set(key, { name, namespace, at: now });
  }
}

/** The list of a pod's spec that has the named container. */
function listOf(subject: Subject, container: string): string {
  const { spec } = subject as { readonly spec?: PodSpec };
  const isNamed = (candidate: { name: string }) => candidate.name === container;
  if (spec?.initContainers?.some(isNamed)) return "initContainers";
  return spec?.ephemeralContainers?.some(isNamed) ? "ephemeralContainers" : "containers";
}
