import { errorCode, explain } from "../base/errors.ts";
import { type Scope, withBindings, withSignal } from "../base/scope.ts";
import type { KubernetesObject } from "../kube/types.ts";
import type { ResourceName } from "../store/types.ts";
import { ControllerQueue } from "./controller-queue.ts";
import type { Controller, ControllerEvents, ControllerObjects } from "./types.ts";

/** One queue's interest in the changes of one resource. */
interface Interest {
  readonly queue: ControllerQueue;
  /** Names of the controller's own objects that the changed one matters to. */
  readonly names: (changed: KubernetesObject) => readonly string[];
  /** What `names` said of each object, by uid: it may matter to others after a change. */
  readonly before: Map<string, readonly string[]>;
}

/**
 * Runs controllers until `stop` or the scope's end. Every resource is watched once for all of them. They begin with all that is
 * there, so whatever an earlier daemon left undone is done; nothing of them is kept over a restart.
 */
export function runControllers(
  controllers: readonly Controller[],
  parts: { readonly objects: ControllerObjects; readonly events: (component: string) => ControllerEvents },
  outerScope: Scope,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const scope = withSignal(outerScope, stopping.signal);
  const { objects } = parts;
  const queues = controllers.map(
    (controller) =>
      new ControllerQueue(
        controller,
        { objects, events: parts.events(controller.name) },
        withBindings(scope, { controller: controller.name }),
      ),
  );
  const interests = new Map<ResourceName, Interest[]>();
  const add = (resource: ResourceName, interest: Omit<Interest, "before">) => {
    interests.set(resource, [...(interests.get(resource) ?? []), { ...interest, before: new Map() }]);
  };
  for (const queue of queues) {
    add(queue.controller.resource, { queue, names: ({ metadata }) => [metadata.name] });
    for (const [resource, names] of Object.entries(queue.controller.follows)) {
      add(resource, { queue, names: (changed) => names(changed, objects) });
    }
  }
  const running = [...interests].map(([resource, interested]) =>
    follow(resource, interested, objects, scope).catch((error) => {
      if (!scope.signal.aborted) scope.log.error({ resource, error: explain(error) }, "watch ended");
    }),
  );
  return {
    async stop() {
      stopping.abort(new Error("controllers are stopping"));
      await Promise.all(running);
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}

async function follow(
  resource: ResourceName,
  interests: readonly Interest[],
  objects: ControllerObjects,
  { signal }: Scope,
): Promise<void> {
  while (!signal.aborted) {
    const { items, resourceVersion } = objects.list(resource);
    for (const { queue, before } of interests) {
      before.clear();
      // What was missed may have been a deletion, which shows only at those whose object is missing.
      queue.enqueueAll();
    }
    for (const object of items) for (const interest of interests) tell(interest, "ADDED", object);
    try {
      for await (const { type, object } of objects.watch(resource, { resourceVersion, signal })) {
        for (const interest of interests) tell(interest, type, object);
      }
    } catch (error) {
      if (errorCode(error) !== "Expired") throw error;
    }
  }
}

function tell({ queue, names, before }: Interest, type: string, object: KubernetesObject): void {
  const { uid, namespace = "" } = object.metadata;
  const found = names(object);
  for (const name of new Set([...(before.get(uid) ?? []), ...found])) queue.enqueue(namespace, name);
  if (type === "DELETED") before.delete(uid);
  else before.set(uid, found);
}
