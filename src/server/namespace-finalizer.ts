import { errorCode, explain, isNotFound } from "../base/errors.ts";
import { KeyedQueue } from "../base/keyed-queue.ts";
import type { Scope } from "../base/scope.ts";
import { deleteObject } from "./deletion.ts";
import type { ApiContext } from "./request.ts";
import { type Resource, resourceName } from "./resource.ts";

/**
 * Empties namespaces that are being deleted, then removes them: first every pod ends as by its own DELETE, then
 * what is left goes, then the namespace. Learns by watch; what an earlier daemon left is finished.
 */
export function startNamespaceFinalizer(context: ApiContext): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.scope.signal, stopping.signal]);
  const scope: Scope = { ...context.scope, signal };
  const queue = new KeyedQueue(
    async (name) => finalize(context, name),
    (name, error) => scope.log.error({ namespace: name, error: explain(error) }, "namespace not finalized"),
  );
  const follow = async (resource: string) => {
    while (!signal.aborted) {
      const { items, resourceVersion } = context.store.list(resource);
      for (const { metadata } of items) queue.enqueue(metadata.namespace ?? metadata.name);
      try {
        for await (const { object } of context.store.watch(resource, { resourceVersion, signal })) {
          queue.enqueue(object.metadata.namespace ?? object.metadata.name);
        }
      } catch (error) {
        // Too far behind: what was missed is seen in a new list.
        if (errorCode(error) !== "Expired") throw error;
      }
    }
  };
  const followed = context.resources
    .filter(({ namespaced, listElsewhere, view }) => namespaced && listElsewhere === undefined && !view)
    .map(resourceName);
  const running = ["namespaces", ...followed].map((resource) =>
    follow(resource).catch((error) => scope.log.error({ resource, error: explain(error) }, "watch ended")),
  );
  return {
    async stop() {
      stopping.abort(new Error("the server is closing"));
      await Promise.all(running);
      await queue.close();
    },
  };
}

function finalize(context: ApiContext, namespace: string): void {
  const key = { resource: "namespaces", namespace: "", name: namespace };
  try {
    if (context.store.get(key).metadata.deletionTimestamp === undefined) return;
    const kept = context.resources.filter(
      ({ namespaced, listElsewhere, view }) =>
        namespaced && listElsewhere === undefined && view === undefined,
    );
    const [waiting, rest] = [
      kept.filter(({ awaitDeletion }) => awaitDeletion !== undefined),
      kept.filter(({ awaitDeletion }) => awaitDeletion === undefined),
    ];
    if (waiting.map((resource) => empty(context, resource, namespace)).some((left) => left > 0)) return;
    // What has finalizers stays until they are gone, and the namespace with it.
    if (rest.map((resource) => empty(context, resource, namespace)).some((left) => left > 0)) return;
    context.store.delete(key);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Asks for the end of every object of the namespace; returns how many are still there. */
function empty(context: ApiContext, resource: Resource, namespace: string): number {
  const { items } = context.store.list(resourceName(resource), { namespace });
  for (const { metadata } of items) {
    if (metadata.deletionTimestamp !== undefined) continue;
    deleteObject({ context, resource, namespace, name: metadata.name }, {}, false);
  }
  return context.store.list(resourceName(resource), { namespace }).items.length;
}
