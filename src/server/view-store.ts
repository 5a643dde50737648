import type { KubernetesObject } from "../kube/types.ts";
import type { NewObject, ObjectKey, Store, WatchEvent } from "../store/types.ts";
import type { View } from "./resource.ts";

/**
 * The store as the verbs of the resource `name` see it whose objects are another resource's in another form. Every other
 * resource is as it is.
 */
export function viewStore(store: Store, name: string, { of, fromStored, toStored }: View): Store {
  const isView = (resource: string) => resource === name;
  const stored = (key: ObjectKey): ObjectKey => ({ ...key, resource: of });
  return {
    create: (resource, object) =>
      isView(resource)
        ? fromStored(store.create(of, toStored(object as object as KubernetesObject) as object as NewObject))
        : store.create(resource, object),
    get: (key) => (isView(key.resource) ? fromStored(store.get(stored(key))) : store.get(key)),
    list: (resource, filter) => {
      if (!isView(resource)) return store.list(resource, filter);
      const { resourceVersion, items } = store.list(of, filter);
      return { resourceVersion, items: items.map(fromStored) };
    },
    update: (key, change) =>
      isView(key.resource)
        ? fromStored(store.update(stored(key), (current) => toStored(change(fromStored(current)))))
        : store.update(key, change),
    delete: (key, precondition) =>
      isView(key.resource)
        ? fromStored(store.delete(stored(key), (current) => precondition?.(fromStored(current))))
        : store.delete(key, precondition),
    watch: (resource, options) =>
      isView(resource) ? viewEvents(store.watch(of, options), fromStored) : store.watch(resource, options),
    resourceVersion: () => store.resourceVersion(),
    reserveSpace: () => store.reserveSpace(),
    close: () => store.close(),
  };
}

async function* viewEvents(
  events: AsyncIterable<WatchEvent>,
  fromStored: View["fromStored"],
): AsyncGenerator<WatchEvent> {
  for await (const event of events) {
    yield event.type === "BOOKMARK" ? event : { type: event.type, object: fromStored(event.object) };
  }
}
