import { expect, test } from "vitest";
import { PeapodError } from "../base/errors.ts";
import { quietScope } from "../base/scope.ts";
import type { KubernetesObject } from "../kube/types.ts";
import type { WatchEvent } from "../store/types.ts";
import { storedObject } from "./fake-objects.ts";
import { runControllers } from "./run-controllers.ts";
import type { Controller, ControllerObjects } from "./types.ts";

/** The API as a test plays it: what is there, a watch that it feeds, and notes of what was written. */
class FakeObjects implements ControllerObjects {
  readonly there = new Map<string, KubernetesObject>();
  readonly written: string[] = [];
  refusal: PeapodError | undefined;
  #waiting: ((event: WatchEvent | Error) => void)[] = [];
  #written = Promise.withResolvers<void>();

  list: ControllerObjects["list"] = (resource) => ({
    resourceVersion: "1",
    items: [...this.there].filter(([key]) => key.startsWith(`${resource}/`)).map(([, object]) => object),
  });
  get: ControllerObjects["get"] = ({ resource, name }) => this.there.get(`${resource}/${name}`);
  async *watch(_: string, { signal }: { signal: AbortSignal }): AsyncGenerator<WatchEvent> {
    signal.addEventListener("abort", () => this.tell(new Error("ended")));
    while (!signal.aborted) {
      const event = await new Promise<WatchEvent | Error>((resolve) => this.#waiting.push(resolve));
      if (event instanceof Error) {
        if (signal.aborted) return;
        throw event;
      }
      yield event;
    }
  }
  tell(event: WatchEvent | Error): void {
    for (const resolve of this.#waiting.splice(0)) resolve(event);
  }
  create: ControllerObjects["create"] = (_, __, object) => {
    this.#note(`create ${object.metadata.name}`);
    if (this.refusal !== undefined) throw this.refusal;
    return storedObject("v1", object.kind, String(object.metadata.name), {});
  };
  patch: ControllerObjects["patch"] = ({ name }) => {
    throw new PeapodError("NotFound", `${name} is gone`);
  };
  updateStatus: ControllerObjects["updateStatus"] = ({ resource, name }, _, status) => {
    this.#note(`status ${name} ${JSON.stringify(status)}`);
    return this.there.get(`${resource}/${name}`) as KubernetesObject;
  };
  delete: ControllerObjects["delete"] = ({ name }) => this.#note(`delete ${name}`);

  #note(text: string): void {
    this.written.push(text);
    this.#written.resolve();
    this.#written = Promise.withResolvers();
  }
  /** Resolves once that has been written. */
  async untilWritten(text: string): Promise<void> {
    while (!this.written.includes(text)) await this.#written.promise;
  }
  /** Resolves with all that was written once there are so many notes. */
  async until(count: number): Promise<readonly string[]> {
    while (this.written.length < count) await this.#written.promise;
    return this.written;
  }
}

/** Makes one pod per object, and says in the status why it could not. */
const controller: Controller = {
  name: "test-controller",
  resource: "owners",
  follows: { pods: ({ metadata }) => [metadata.labels?.owner ?? ""] },
  plan: ({ metadata }, _, __, failure) => ({
    actions: [
      { do: "patch", resource: "pods", name: "x", uid: "x", patch: {} },
      {
        do: "create",
        resource: "pods",
        object: { apiVersion: "v1", kind: "Pod", metadata: { name: `of-${metadata.name}` } },
      },
      { do: "status", status: { failure: failure?.message } },
    ],
  }),
};

function run(objects: FakeObjects) {
  const said: string[] = [];
  const events = () => ({
    record: (_: unknown, type: string, reason: string, message: string) =>
      void said.push(`${type} ${reason} ${message}`),
  });
  return { said, ...runControllers([controller], { objects, events }, quietScope()) };
}

const owner = (name: string) => storedObject<KubernetesObject>("v1", "Owner", name, {});
const pod = (name: string, of: string) =>
  storedObject<KubernetesObject>("v1", "Pod", name, {}, { labels: { owner: of } });

test("begins with what is there, and looks again at whom a change matters or did before", async () => {
  const objects = new FakeObjects();
  objects.there.set("owners/a", owner("a"));
  const running = run(objects);
  expect(await objects.until(2)).toEqual(["create of-a", "status a {}"]);
  objects.there.set("owners/b", owner("b"));
  objects.tell({ type: "ADDED", object: pod("p", "b") });
  await objects.untilWritten("status b {}");
  objects.written.length = 0;
  // The pod is another's now: both are looked at.
  objects.tell({ type: "MODIFIED", object: pod("p", "a") });
  await Promise.all([objects.untilWritten("status a {}"), objects.untilWritten("status b {}")]);
  await running.stop();
  const before = objects.written.length;
  objects.tell({ type: "ADDED", object: pod("q", "a") });
  expect(objects.written).toHaveLength(before);
});

test("what was missed is made up for from a new list", async () => {
  const objects = new FakeObjects();
  const running = run(objects);
  await Promise.resolve();
  objects.there.set("owners/late", owner("late"));
  objects.tell(new PeapodError("Expired", "too old"));
  expect((await objects.until(2)).slice(0, 2)).toEqual(["create of-late", "status late {}"]);
  await running.stop();
});

test("a step that fails is said, kept in the status, and tried again later", async () => {
  const objects = new FakeObjects();
  objects.refusal = new PeapodError("Forbidden", "no room");
  objects.there.set("owners/a", owner("a"));
  const running = run(objects);
  expect((await objects.until(2)).slice(0, 2)).toEqual([
    "create of-a",
    'status a {"failure":"Error: no room"}',
  ]);
  expect(running.said[0]).toBe("Warning FailedCreate Error: no room");
  objects.refusal = undefined;
  await objects.untilWritten("status a {}");
  await running.stop();
});

test("nothing is said of a namespace that ends", async () => {
  const objects = new FakeObjects();
  const details = { causes: [{ reason: "NamespaceTerminating" }] };
  objects.refusal = new PeapodError("Forbidden", "it ends", { details });
  objects.there.set("owners/a", owner("a"));
  const running = run(objects);
  expect((await objects.until(1))[0]).toBe("create of-a");
  await running.stop();
  expect(running.said).toEqual([]);
});
