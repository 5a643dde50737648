import type { KubernetesObject } from "../kube/types.ts";
import type { NewObject, ObjectKey, Store, WatchEvent } from "../store/types.ts";
import type { View } from "./resource.ts";

/** The store as one resource's verbs see it whose objects are another resource's in another form. */
export function viewStore(store: Store, { of, fromStored, toStored }: View): Store {
  const stored = ({ namespace, name }: ObjectKey): ObjectKey => ({ resource: of, namespace, name });
  return {
    create: (_resource, object) =>
      fromStored(store.create(of, toStored(object as object as KubernetesObject) as object as NewObject)),
    get: (key) => fromStored(store.get(stored(key))),
    list: (_resource, filter) => {
      const { resourceVersion, items } = store.list(of, filter);
      return { resourceVersion, items: items.map(fromStored) };
    },
    update: (key, change) =>
      fromStored(store.update(stored(key), (current) => toStored(change(fromStored(current))))),
    delete: (key, precondition) =>
      fromStored(store.delete(stored(key), (current) => precondition?.(fromStored(current)))),
    watch: (_resource, options) => viewEvents(store.watch(of, options), fromStored),
    resourceVersion: () => store.resourceVersion(),
    close: () => store.close(),
  };
}

async function* viewEvents(
  events: AsyncIterable<WatchEvent>,
  fromStored: View["fromStored"],
): AsyncGenerator<WatchEvent> {
  for await (const event of events) {
    yield event.type === "BOOKMARK" ? event : { ...event, object: fromStored(event.object) };
  }
}
