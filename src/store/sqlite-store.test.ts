import { describe, expect, test } from "vitest";
import { PeapodError } from "../base/errors.ts";
import { openStore } from "./sqlite-store.ts";
import type { NewObject, ObjectKey } from "./types.ts";

function pod(name: string, namespace = "default"): NewObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace }, spec: { nodeName: "here" } };
}

const key: ObjectKey = { resource: "pods", namespace: "default", name: "a" };

describe("objects", () => {
  test("creating sets what the API sets, and reading gives a copy of one's own", () => {
    using store = disposable(openStore(":memory:"));
    const created = store.create("pods", pod("a"));
    expect(created.metadata).toMatchObject({
      name: "a",
      namespace: "default",
      resourceVersion: "2",
      generation: 1,
    });
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

    store.get(key).metadata.name = "changed by the reader";
    expect(store.get(key)).toEqual(created);
  });

  test("a taken name is refused, the same name in another namespace or resource is not", () => {
    using store = disposable(openStore(":memory:"));
    store.create("pods", pod("a"));
    expect(() => store.create("pods", pod("a"))).toThrow('pods "a" already exists');
    store.create("pods", pod("a", "other"));
    store.create("events", pod("a"));
    expect(store.list("pods").items).toHaveLength(2);
  });

  test("a missing object is NotFound with the details that the API gives", () => {
    using store = disposable(openStore(":memory:"));
    const error = thrownBy(() => store.get({ resource: "channels.peapod.dev", namespace: "n", name: "c" }));
    expect(error).toMatchObject({
      code: "NotFound",
      message: 'channels.peapod.dev "c" not found',
      details: { name: "c", kind: "channels", group: "peapod.dev" },
    });
  });

  test("an update sees the current state, and one made from an older state is a Conflict", () => {
    using store = disposable(openStore(":memory:"));
    const first = store.create("pods", pod("a"));
    const second = store.update(key, (current) => ({ ...current, status: { phase: "Running" } }));
    expect(second.metadata.resourceVersion).toBe("3");
    expect(thrownBy(() => store.update(key, () => first))).toMatchObject({ code: "Conflict" });
    expect(store.get(key)).toEqual(second);
  });

  test("an update that changes nothing is not written", () => {
    using store = disposable(openStore(":memory:"));
    const created = store.create("pods", pod("a"));
    expect(store.update(key, (current) => ({ ...current, status: undefined }))).toEqual(created);
    expect(store.resourceVersion()).toBe("2");
  });

  test("no writer changes uid, name or creation time; the generation follows the spec", () => {
    using store = disposable(openStore(":memory:"));
    const created = store.create("pods", pod("a"));
    const status = store.update(key, (current) => ({
      ...current,
      metadata: { ...current.metadata, name: "b", uid: "x", creationTimestamp: "y", generation: 9 },
      status: { phase: "Running" },
    }));
    expect(status.metadata).toEqual({ ...created.metadata, resourceVersion: "3" });
    const spec = store.update(key, (current) => ({ ...current, spec: { nodeName: "there" } }));
    expect(spec.metadata.generation).toBe(2);
  });

  test("what refuses a change leaves nothing behind", () => {
    using store = disposable(openStore(":memory:"));
    const created = store.create("pods", pod("a"));
    const refuse = () => {
      throw new PeapodError("Forbidden", "no");
    };
    expect(() => store.update(key, refuse)).toThrow("no");
    expect(() => store.delete(key, refuse)).toThrow("no");
    expect(store.get(key)).toEqual(created);
    expect(store.resourceVersion()).toBe("2");
  });

  test("deleting gives the last state with the deletion's resourceVersion, which is never reused", () => {
    using store = disposable(openStore(":memory:"));
    store.create("pods", pod("a"));
    expect(store.delete(key).metadata.resourceVersion).toBe("3");
    expect(thrownBy(() => store.delete(key))).toMatchObject({ code: "NotFound" });
    expect(store.create("pods", pod("a")).metadata.resourceVersion).toBe("4");
  });

  test("writing from inside a write is a bug and says so", () => {
    using store = disposable(openStore(":memory:"));
    store.create("pods", pod("a"));
    expect(() => store.update(key, () => store.create("pods", pod("b")))).toThrow("from inside a write");
    expect(store.list("pods").items).toHaveLength(1);
  });
});

/** Closes the store at the end of the test's block. */
function disposable<T extends { close(): void }>(store: T): T & Disposable {
  return Object.assign(store, { [Symbol.dispose]: () => store.close() });
}

function thrownBy(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
