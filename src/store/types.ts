import type { KubernetesObject } from "../kube/types.ts";

/** Names a kind of stored object: the API's plural resource name with its group, e.g. `pods`, `events`. */
export type ResourceName = string;

/** Names one object. `namespace` is empty for cluster-scoped resources. */
export interface ObjectKey {
  readonly resource: ResourceName;
  readonly namespace: string;
  readonly name: string;
}

/** Narrows a list or a watch. Absent: everything. */
export interface ObjectFilter {
  readonly namespace?: string;
  /** Label and field selectors, already compiled; must be pure. */
  readonly matches?: (object: KubernetesObject) => boolean;
}

/** One change of one object, in the order of resourceVersion. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  /** The object after the change (for DELETED: its last state, with the deletion's resourceVersion). */
  readonly object: KubernetesObject;
  /** The object's JSON, where it is at hand. `object` is parsed from it when somebody looks. */
  readonly json?: string;
}

/** A list and the resourceVersion to watch on from without missing or repeating a change. */
export interface ObjectList {
  readonly resourceVersion: string;
  readonly items: readonly KubernetesObject[];
  /** The items' JSON, where it is at hand. `items` are parsed from it when somebody looks. */
  readonly json?: readonly string[];
}

/**
 * Objects, their resourceVersions and their changes; one per node, kept in SQLite. Knows nothing of Linux and
 * little of Kubernetes: validation happens before, by the caller.
 *
 * Every write is one transaction and visible to every reader and watcher when the call returns; it survives
 * `kill -9` from then on. resourceVersion is one counter over all resources and only grows, also over
 * restarts and deletions. Objects that come out are the reader's own copies.
 */
export interface Store {
  /**
   * Stores a new object; sets creationTimestamp, resourceVersion (and generation 1), and uid where the caller has not
   * made one. AlreadyExists if taken.
   */
  create(resource: ResourceName, object: NewObject): KubernetesObject;
  /** The object, or throws NotFound. */
  get(key: ObjectKey): KubernetesObject;
  list(resource: ResourceName, filter?: ObjectFilter): ObjectList;
  /**
   * Replaces an object by what `change` makes of its current state, atomically. `change` gets a copy of its own
   * and may throw to refuse. When what it returns carries a resourceVersion other than the current one: Conflict
   * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions). An unchanged object is
   * not written and keeps its resourceVersion. NotFound if it is gone.
   */
  update(key: ObjectKey, change: (current: KubernetesObject) => KubernetesObject): KubernetesObject;
  /** Removes the object at once and returns its last state. `precondition` may throw to refuse. NotFound if gone. */
  delete(key: ObjectKey, precondition?: (current: KubernetesObject) => void): KubernetesObject;
  /**
   * Every change after `resourceVersion` (history first, then live), in order, each once, until the signal
   * aborts. An object that starts or stops matching the filter appears as ADDED or DELETED. Throws Expired when
   * the history no longer reaches back so far, and ends with Expired when a reader falls too far behind.
   */
  watch(
    resource: ResourceName,
    options: {
      resourceVersion: string;
      filter?: ObjectFilter;
      signal: AbortSignal;
      /** Milliseconds of quiet after which a BOOKMARK (only metadata.resourceVersion) comes. Absent: none. */
      bookmarkInterval?: number;
    },
  ): AsyncIterable<WatchEvent>;
  /**
   * Sees to it that a full disk does not keep objects from being changed and deleted: to be called now and then. Cheap
   * when there is nothing to do; does what it can on a disk that is full already.
   */
  reserveSpace(): void;
  /** The newest resourceVersion handed out. */
  resourceVersion(): string;
  close(): void;
}

/** What `create` takes: an object without the metadata that the store sets. */
export interface NewObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; uid?: string; [field: string]: unknown };
  [field: string]: unknown;
}
