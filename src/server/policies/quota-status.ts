import { errorCode, explain } from "../../base/errors.ts";
import { KeyedQueue } from "../../base/keyed-queue.ts";
import type { Scope } from "../../base/scope.ts";
import type { ApiContext } from "../request.ts";
import { resourceName } from "../resource.ts";
import { quotasOf, updateQuotaStatus } from "./quota.ts";

/** Pods count less when their time to end is over, which no event tells: looked at now and then. */
const resyncMilliseconds = 30_000;

/**
 * Keeps the status of every quota current: whatever is made, changed or removed in a namespace has its quotas counted
 * again, once for many changes that come together. Learns by watch.
 */
export function startQuotaStatus(context: ApiContext): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.scope.signal, stopping.signal]);
  const scope: Scope = { ...context.scope, signal };
  const queue = new KeyedQueue(
    async (namespace) => {
      for (const { metadata } of quotasOf(context, namespace)) {
        updateQuotaStatus({ namespace, name: metadata?.name ?? "" }, context);
      }
    },
    (namespace, error) => scope.log.error({ namespace, error: explain(error) }, "quota not counted"),
  );
  const enqueueAll = () => {
    for (const { metadata } of context.store.list("resourcequotas").items) {
      queue.enqueue(metadata.namespace ?? "");
    }
  };
  const follow = async (resource: string) => {
    let { resourceVersion } = context.store.list(resource);
    while (!signal.aborted) {
      enqueueAll();
      try {
        for await (const { object } of context.store.watch(resource, { resourceVersion, signal })) {
          queue.enqueue(object.metadata.namespace ?? "");
        }
      } catch (error) {
        if (errorCode(error) !== "Expired") throw error;
        ({ resourceVersion } = context.store.list(resource));
      }
    }
  };
  const resync = async () => {
    while (!signal.aborted) {
      await scope.clock.sleep(resyncMilliseconds, signal);
      enqueueAll();
    }
  };
  const uncounted = ["events", "leases.coordination.k8s.io"];
  const followed = context.resources
    .filter(({ namespaced, listElsewhere, view }) => namespaced && listElsewhere === undefined && !view)
    .map(resourceName)
    .filter((name) => !uncounted.includes(name));
  const running = [
    ...followed.map((resource) =>
      follow(resource).catch((error) => {
        if (!signal.aborted) scope.log.error({ resource, error: explain(error) }, "watch ended");
      }),
    ),
    resync().catch(() => {}),
  ];
  return {
    async stop() {
      stopping.abort(new Error("the server is closing"));
      await Promise.all(running);
      await queue.close();
    },
  };
}
