import type { KubernetesObject } from "../kube/types.ts";
import type { ObjectFilter, ObjectKey, ObjectList, ResourceName, Store } from "../store/types.ts";

/**
 * The API as controllers use it: in this process and at once, so what is read is always the newest state and what
 * was written is there for the next reader. Implemented by the server; every write goes the way of a client's
 * request (decoding, defaults, validation, who set which field).
 */
export interface ControllerObjects extends ObjectReader {
  /** Every change of one resource: {@link Store.watch}. */
  readonly watch: Store["watch"];
  /**
   * As a POST: admits, defaults, binds pods to the node, makes a free name of `generateName`. Throws what a client
   * would get (Invalid, AlreadyExists, Forbidden in a namespace that ends).
   */
  create(resource: ResourceName, namespace: string, object: NewObject): KubernetesObject;
  /** As a PATCH with a JSON merge patch (RFC 7386). Conflict when the object is not the one with that `uid`. */
  patch(key: ObjectKey, uid: string, patch: MergePatch): KubernetesObject;
  /** As a PUT of `/status`: labels and spec stay. An unchanged status is not written. */
  updateStatus(key: ObjectKey, uid: string, status: object): KubernetesObject;
  /** As a DELETE: pods end with their grace period. One that is gone, or another of that name, is fine. */
  delete(key: ObjectKey, uid: string, options: DeleteOptions): void;
}

/** What a controller looks at beside its own object. Objects are the reader's own copies. */
export interface ObjectReader {
  /** Undefined when it is not there. */
  get(key: ObjectKey): KubernetesObject | undefined;
  list(resource: ResourceName, filter?: ObjectFilter): ObjectList;
}

/** Writes events about the objects of one controller; failing to is only logged. */
export interface ControllerEvents {
  record(object: KubernetesObject, type: "Normal" | "Warning", reason: string, message: string): void;
}

/** What a controller sends to be made: `name` or `generateName` in its metadata. */
export interface NewObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export type MergePatch = { readonly [field: string]: unknown };

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

/** A Normal event of the controller's object. `{name}` in the message is the name of the object acted on. */
export interface EventText {
  readonly reason: string;
  readonly message: string;
}

/**
 * One step of a plan. Steps are in the namespace of the controller's object and are done in their order. A failed
 * step ends the plan; what is left is planned anew, a while later.
 */
export type Action =
  | {
      readonly do: "create";
      readonly resource: ResourceName;
      readonly object: NewObject;
      readonly event?: EventText;
      /** A Warning; `{error}` is why. */
      readonly failure?: EventText;
    }
  | {
      readonly do: "patch";
      readonly resource: ResourceName;
      readonly name: string;
      readonly uid: string;
      readonly patch: MergePatch;
      readonly event?: EventText;
    }
  | {
      readonly do: "delete";
      readonly resource: ResourceName;
      readonly name: string;
      readonly uid: string;
      readonly options?: DeleteOptions;
      readonly event?: EventText;
    }
  /** The controller's own object's. */
  | { readonly do: "status"; readonly status: object }
  | {
      readonly do: "event";
      readonly type: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
    };

/** What is to be done now, and when to look again though nothing changed (milliseconds since the epoch). */
export interface Plan {
  readonly actions: readonly Action[];
  readonly wakeAt?: number;
}

/** Why the last plan could not be carried out. */
export interface PlanFailure {
  /** Reason of the failed step's event; `FailedCreate` and the like. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Brings about what the objects of one resource want, level-triggered: told only that something may have changed,
 * it plans from all there is. A plan that is carried out in full and made again with nothing else changed must have
 * nothing left to do.
 */
export interface Controller {
  /** Component of its events, as kube-controller-manager's: `replicaset-controller`. */
  readonly name: string;
  readonly resource: ResourceName;
  /**
   * Other resources that matter, by name; the function says which of its own objects (by name, in the changed
   * object's namespace) one of them matters to. Those that an earlier state mattered to are looked at, too.
   */
  readonly follows: Readonly<
    Record<ResourceName, (changed: KubernetesObject, objects: ObjectReader) => readonly string[]>
  >;
  /**
   * What to do for an object. Reads, and changes nothing. Called again after every change of it or of what it follows, so
   * it must be quick.
   */
  plan(object: KubernetesObject, objects: ObjectReader, now: number, failure: PlanFailure | undefined): Plan;
}
