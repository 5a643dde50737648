import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Clock } from "../base/clock.ts";
import type { KubernetesObject } from "../kube/types.ts";
import { openStore, type StoreOptions } from "./sqlite-store.ts";
import type { ObjectFilter, Store, WatchEvent } from "./types.ts";

function open(options?: StoreOptions): Store {
  const store = openStore(":memory:", options);
  onTestFinished(() => store.close());
  return store;
}

function create(store: Store, name: string, labels: Record<string, string> = {}, resource = "pods") {
  return store.create(resource, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels },
  });
}

function relabel(store: Store, name: string, labels: Record<string, string>) {
  return store.update({ resource: "pods", namespace: "default", name }, (current) => ({
    ...current,
    metadata: { ...current.metadata, labels },
  }));
}

/** The next `count` events after `resourceVersion`, as `TYPE name@resourceVersion`. */
async function take(store: Store, resourceVersion: string, count: number, filter?: ObjectFilter) {
  const controller = new AbortController();
  const seen: string[] = [];
  const options = { resourceVersion, signal: controller.signal, ...(filter === undefined ? {} : { filter }) };
  for await (const { type, object } of store.watch("pods", options)) {
    seen.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}`);
    if (seen.length === count) controller.abort();
  }
  return seen;
}

describe("watch", () => {
  test("gives history first, then live changes, each once and in order", async () => {
    const store = open();
    const from = store.resourceVersion();
    create(store, "a");
    const seen = take(store, from, 3);
    create(store, "b");
    create(store, "e", {}, "events");
    store.delete({ resource: "pods", namespace: "default", name: "a" });
    expect(await seen).toEqual(["ADDED a@2", "ADDED b@3", "DELETED a@5"]);
  });

  test("an object that starts or stops matching appears as ADDED or DELETED", async () => {
    const store = open();
    const from = store.resourceVersion();
    const matches = (object: KubernetesObject) => object.metadata.labels?.app === "web";
    create(store, "a");
    relabel(store, "a", { app: "web" });
    relabel(store, "a", { app: "web", tier: "front" });
    relabel(store, "a", { app: "db" });
    relabel(store, "a", { app: "db", tier: "back" });
    relabel(store, "a", { app: "web" });
    store.delete({ resource: "pods", namespace: "default", name: "a" });
    expect(await take(store, from, 5, { matches })).toEqual([
      "ADDED a@3",
      "MODIFIED a@4",
      "DELETED a@5",
      "ADDED a@7",
      "DELETED a@8",
    ]);
  });

  test("ends when the signal aborts and when the store closes", async () => {
    const store = openStore(":memory:");
    const controller = new AbortController();
    const aborted = take(store, store.resourceVersion(), 1);
    const options = { resourceVersion: store.resourceVersion(), signal: controller.signal };
    const next = store.watch("pods", options)[Symbol.asyncIterator]().next();
    controller.abort();
    expect(await next).toMatchObject({ done: true });
    store.close();
    expect(await aborted).toEqual([]);
  });

  test("a version that history no longer reaches, or that is yet to come, is Expired", async () => {
    const store = open({ historyLength: 10 });
    const from = store.resourceVersion();
    for (let index = 0; index < 30; index += 1) create(store, `pod-${index}`);
    await expect(take(store, from, 1)).rejects.toMatchObject({ code: "Expired" });
    await expect(take(store, "999", 1)).rejects.toMatchObject({ code: "Expired" });
    await expect(take(store, "newest", 1)).rejects.toMatchObject({ code: "BadRequest" });
    expect(await take(store, "29", 1)).toEqual(["ADDED pod-28@30"]);
  });

  test("old changes are forgotten by age too", async () => {
    let now = 0;
    const clock: Clock = { now: () => now, sleep: () => Promise.reject(new Error("unused")) };
    const store = open({ historyAge: 1_000, historyLength: 500, clock });
    for (let index = 0; index < 128; index += 1) create(store, `old-${index}`);
    now = 5_000;
    for (let index = 0; index < 128; index += 1) create(store, `new-${index}`);
    await expect(take(store, "100", 1)).rejects.toMatchObject({ code: "Expired" });
    expect(await take(store, "129", 1)).toEqual(["ADDED new-0@130"]);
  });

  test("a reader that falls too far behind ends with Expired, and others do not notice", async () => {
    const store = open({ historyLength: 200 });
    const options = { resourceVersion: store.resourceVersion(), signal: new AbortController().signal };
    const slow = store.watch("pods", options)[Symbol.asyncIterator]();
    const fast = take(store, store.resourceVersion(), 600);
    create(store, "pod-0");
    await slow.next();
    for (let index = 1; index < 600; index += 1) {
      create(store, `pod-${index}`);
      if (index % 50 === 0) await new Promise(setImmediate);
    }
    expect(await fast).toHaveLength(600);
    const drain = async () => {
      while (!(await slow.next()).done);
    };
    await expect(drain()).rejects.toMatchObject({ code: "Expired" });
  });

  test("a quiet reader does not expire because other resources change", async () => {
    const store = open({ historyLength: 10 });
    const seen = take(store, store.resourceVersion(), 1);
    await new Promise(setImmediate);
    for (let index = 0; index < 50; index += 1) create(store, `event-${index}`, {}, "events");
    create(store, "a");
    expect(await seen).toEqual(["ADDED a@52"]);
  });

  test("bookmarks say how far a quiet watch has seen everything", async () => {
    const store = open();
    const controller = new AbortController();
    create(store, "a");
    create(store, "e", {}, "events");
    const types: string[] = [];
    const options = { resourceVersion: "1", signal: controller.signal, bookmarkInterval: 1 };
    for await (const { type, object } of store.watch("pods", options)) {
      types.push(`${type}@${object.metadata.resourceVersion}`);
      if (type === "BOOKMARK") controller.abort();
    }
    expect(types).toEqual(["ADDED@2", "BOOKMARK@3"]);
  });

  test("list and watch from any version reproduce the state", async () => {
    const operation = fc.record({
      name: fc.constantFrom("a", "b", "c"),
      kind: fc.constantFrom("create", "update", "delete", "other"),
      app: fc.constantFrom("web", "db"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 40 }),
        fc.nat(),
        fc.boolean(),
        async (operations, at, filtered) => {
          const store = openStore(":memory:");
          const filter: ObjectFilter = filtered
            ? { matches: (object) => object.metadata.labels?.app === "web" }
            : {};
          const listAt = at % (operations.length + 1);
          let list = store.list("pods", filter);
          operations.forEach((step, index) => {
            if (index === listAt) list = store.list("pods", filter);
            apply(store, step);
          });
          if (listAt === operations.length) list = store.list("pods", filter);

          const state = new Map(list.items.map((object) => [object.metadata.name, object]));
          const controller = new AbortController();
          const options = {
            resourceVersion: list.resourceVersion,
            filter,
            signal: controller.signal,
            bookmarkInterval: 0,
          };
          for await (const event of store.watch("pods", options)) {
            if (event.type === "BOOKMARK") controller.abort();
            else replay(state, event);
          }
          expect([...state.values()].sort(byName)).toEqual(store.list("pods", filter).items);
          store.close();
        },
      ),
      { numRuns: 150 },
    );
  });
});

function apply(store: Store, step: { name: string; kind: string; app: string }): void {
  try {
    if (step.kind === "create") create(store, step.name, { app: step.app });
    else if (step.kind === "update") relabel(store, step.name, { app: step.app });
    else if (step.kind === "delete")
      store.delete({ resource: "pods", namespace: "default", name: step.name });
    else create(store, `${step.name}-${store.resourceVersion()}`, {}, "events");
  } catch {
    // Taken and missing names are part of the game.
  }
}

/** Applies an event as a strict client does, so that a repeated or missing event fails the test. */
function replay(state: Map<string, KubernetesObject>, { type, object }: WatchEvent): void {
  const { name } = object.metadata;
  expect(state.has(name)).toBe(type !== "ADDED");
  if (type === "DELETED") state.delete(name);
  else state.set(name, object);
}

function byName(a: KubernetesObject, b: KubernetesObject): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
