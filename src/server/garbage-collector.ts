import { errorCode, explain, ifFound } from "../base/errors.ts";
import { KeyedQueue } from "../base/keyed-queue.ts";
import type { Scope } from "../base/scope.ts";
import type { KubernetesObject } from "../kube/types.ts";
import type { ObjectKey } from "../store/types.ts";
import { deleteObject, foregroundFinalizer, orphanFinalizer } from "./deletion.ts";
import type { ApiContext } from "./request.ts";
import { apiVersionOf, objectKey, type Resource, resourceName } from "./resource.ts";

/** What is known of an object: where it is, and who owns it. */
interface Known {
  readonly resource: Resource;
  readonly key: ObjectKey;
  readonly owners: readonly string[];
  /** Whether it waits for its end, and so perhaps for its dependents'. */
  readonly isDeleting: boolean;
}

/**
 * Removes what nobody owns any more
 * (https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents): dependents of a deleted
 * owner end by their own DELETE, in the foreground before it, or lose their owner where it is deleted as `Orphan`.
 * Learns by watch; what an earlier daemon left is finished.
 */
export function startGarbageCollector(context: ApiContext): { stop(): Promise<void> } {
  const collector = new GarbageCollector(context);
  return { stop: () => collector.stop() };
}

class GarbageCollector {
  readonly #context: ApiContext;
  readonly #scope: Scope;
  readonly #stopping = new AbortController();
  readonly #known = new Map<string, Known>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #queue: KeyedQueue;
  readonly #running: Promise<unknown>;

  constructor(context: ApiContext) {
    const signal = AbortSignal.any([context.scope.signal, this.#stopping.signal]);
    this.#context = context;
    this.#scope = { ...context.scope, signal };
    this.#queue = new KeyedQueue(
      async (uid) => this.#settle(uid),
      (uid, error) => this.#scope.log.error({ uid, error: explain(error) }, "not collected"),
    );
    const resources = context.resources.filter(
      ({ listElsewhere, view }) => listElsewhere === undefined && view === undefined,
    );
    // Every list is read before the first owner is looked for, or it might only not be known yet.
    const starts = resources.map((resource) => ({ resource, from: this.#list(resource) }));
    for (const uid of [...this.#dependents.keys(), ...this.#known.keys()]) this.#queue.enqueue(uid);
    this.#running = Promise.all(starts.map(({ resource, from }) => this.#follow(resource, from)));
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the server is closing"));
    await this.#running;
    await this.#queue.close();
  }

  #list(resource: Resource): string {
    const { items, resourceVersion } = this.#context.store.list(resourceName(resource));
    for (const object of items) this.#learn(resource, object);
    return resourceVersion;
  }

  async #follow(resource: Resource, from: string): Promise<void> {
    const { signal } = this.#scope;
    let resourceVersion = from;
    while (!signal.aborted) {
      try {
        const options = { resourceVersion, signal };
        for await (const { type, object } of this.#context.store.watch(resourceName(resource), options)) {
          // Who may have waited for this object: its owners, also those that it has had until now.
          const before = this.#known.get(object.metadata.uid)?.owners ?? [];
          if (type === "DELETED") this.#forget(object.metadata.uid);
          else this.#learn(resource, object);
          this.#enqueue(object);
          for (const owner of before) if (this.#known.get(owner)?.isDeleting) this.#queue.enqueue(owner);
        }
      } catch (error) {
        if (errorCode(error) !== "Expired") {
          this.#scope.log.error({ resource: resource.plural, error: explain(error) }, "watch ended");
          return;
        }
        resourceVersion = this.#relist(resource);
      }
    }
  }

  /** After changes that were missed: what is not in the list any more was deleted. */
  #relist(resource: Resource): string {
    const before = [...this.#known].filter(([, known]) => known.resource === resource);
    for (const [uid] of before) this.#forget(uid);
    const resourceVersion = this.#list(resource);
    for (const [uid] of before) this.#queue.enqueue(uid);
    return resourceVersion;
  }

  #enqueue({ metadata }: KubernetesObject): void {
    const isOwned = (metadata.ownerReferences ?? []).length > 0;
    if (isOwned || this.#dependents.has(metadata.uid) || metadata.deletionTimestamp !== undefined) {
      this.#queue.enqueue(metadata.uid);
    }
  }

  #learn(resource: Resource, { metadata }: KubernetesObject): void {
    const { uid, name, namespace = "" } = metadata;
    this.#forget(uid);
    const owners = (metadata.ownerReferences ?? []).map((owner) => owner.uid);
    const isDeleting = metadata.deletionTimestamp !== undefined;
    this.#known.set(uid, { resource, key: objectKey(resource, namespace, name), owners, isDeleting });
    for (const owner of owners) {
      const dependents = this.#dependents.get(owner) ?? new Set();
      this.#dependents.set(owner, dependents.add(uid));
    }
  }

  #forget(uid: string): void {
    for (const owner of this.#known.get(uid)?.owners ?? []) {
      const dependents = this.#dependents.get(owner);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner);
    }
    this.#known.delete(uid);
  }

  #settle(uid: string): void {
    const known = this.#known.get(uid);
    const object = known === undefined ? undefined : this.#read(known);
    if (known === undefined || object === undefined) {
      for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.enqueue(dependent);
      return;
    }
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp === undefined) this.#collectUnowned(known, object);
    else if (finalizers.includes(orphanFinalizer)) this.#orphan(known, uid);
    else if (finalizers.includes(foregroundFinalizer)) this.#deleteDependents(known, uid);
  }

  /** Deletes an object whose owners are all gone, and takes single ones that are gone off the others' list. */
  #collectUnowned(known: Known, object: KubernetesObject): void {
    const owners = object.metadata.ownerReferences ?? [];
    const left = owners.filter((owner) => this.#exists(owner, object.metadata.namespace ?? ""));
    if (owners.length === left.length) return;
    if (left.length > 0) {
      const uids = left.map(({ uid }) => uid);
      this.#change(known, (current) => withOwners(current, (uid) => uids.includes(uid)));
      return;
    }
    this.#scope.log.info({ ...known.key }, "removing an object whose owner is gone");
    this.#delete(known);
  }

  /** Whether the owner is there. One of a kind that this server has not is taken to be. */
  #exists(owner: OwnerReference, namespace: string): boolean {
    const resource = this.#context.resources.find(
      (candidate) => apiVersionOf(candidate) === owner.apiVersion && candidate.kind === owner.kind,
    );
    if (resource === undefined || resource.listElsewhere !== undefined) return true;
    const key = objectKey(resource, resource.namespaced ? namespace : "", owner.name);
    return ifFound(() => this.#context.store.get(key))?.metadata.uid === owner.uid;
  }

  #orphan(known: Known, uid: string): void {
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const other = this.#known.get(dependent);
      if (other !== undefined)
        this.#change(other, (current) => withOwners(current, (owner) => owner !== uid));
    }
    this.#removeFinalizer(known, orphanFinalizer);
  }

  #deleteDependents(known: Known, uid: string): void {
    let blocked = false;
    for (const dependent of [...(this.#dependents.get(uid) ?? [])]) {
      const other = this.#known.get(dependent);
      const object = other === undefined ? undefined : this.#read(other);
      if (other === undefined || object === undefined) continue;
      const reference = object.metadata.ownerReferences?.find((owner) => owner.uid === uid);
      if (object.metadata.deletionTimestamp === undefined) this.#delete(other, "Foreground");
      blocked ||=
        reference?.blockOwnerDeletion === true &&
        this.#read(other) !== undefined &&
        !this.#owns(dependent, uid);
    }
    if (!blocked) this.#removeFinalizer(known, foregroundFinalizer);
  }

  /** Whether one owns the other, over any number of others between them. In such a circle nobody waits for anybody. */
  #owns(owner: string, dependent: string, seen = new Set<string>()): boolean {
    const { owners = [] } = this.#known.get(dependent) ?? {};
    return owners.some((each) => {
      if (each === owner) return true;
      if (seen.has(each)) return false;
      return this.#owns(owner, each, seen.add(each));
    });
  }

  #removeFinalizer(known: Known, name: string): void {
    const stored = this.#change(known, (current) => {
      const finalizers = (current.metadata.finalizers ?? []).filter((finalizer) => finalizer !== name);
      return { ...current, metadata: { ...current.metadata, finalizers } };
    });
    if (stored === undefined || (stored.metadata.finalizers ?? []).length > 0) return;
    // A pod goes when its containers have; everything else waited only for this.
    if (known.resource.awaitDeletion === undefined || stored.metadata.deletionGracePeriodSeconds === 0) {
      ifFound(() => this.#context.store.delete(known.key));
    }
  }

  #delete({ resource, key }: Known, propagationPolicy: "Background" | "Foreground" = "Background"): void {
    const request = { context: this.#context, resource, namespace: key.namespace, name: key.name };
    ifFound(() => deleteObject(request, { propagationPolicy }, false));
  }

  #change(
    { key }: Known,
    change: (current: KubernetesObject) => KubernetesObject,
  ): KubernetesObject | undefined {
    return ifFound(() => this.#context.store.update(key, change));
  }

  #read({ key }: Known): KubernetesObject | undefined {
    return ifFound(() => this.#context.store.get(key));
  }
}

type OwnerReference = NonNullable<KubernetesObject["metadata"]["ownerReferences"]>[number];

function withOwners(current: KubernetesObject, isKept: (uid: string) => boolean): KubernetesObject {
  const { ownerReferences = [], ...metadata } = current.metadata;
  const kept = ownerReferences.filter(({ uid }) => isKept(uid));
  return { ...current, metadata: kept.length === 0 ? metadata : { ...metadata, ownerReferences: kept } };
}
