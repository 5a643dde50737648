import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { quietScope } from "../base/scope.ts";
import type { Container, PodSpec, StoredPod } from "../kube/types.ts";
import type { ContainerRecord } from "../runtime/types.ts";
import type { AgentDependencies } from "./dependencies.ts";
import { containerRecord } from "./fake-records.ts";
import { PodState } from "./pod-state.ts";
import { stopContainers } from "./stop-containers.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A pod whose containers end a given time after their stop signal, or when their grace period is over. */
function running(spec: PodSpec, endsAfter: Record<string, number>) {
  const names = [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name);
  const records = new Map(names.map((name) => [name, containerRecord({ id: name, name })]));
  const log: string[] = [];
  const listeners = new Set<(id: string) => void>();
  const note = (what: string) => log.push(`${Date.now() / 1000} ${what}`);
  const runtime = {
    listContainers: (): ContainerRecord[] => [...records.values()],
    getContainer: (id: string) => records.get(id),
    onContainerChange(listener: (id: string) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stopContainer(id: string, seconds: number) {
      note(`signal ${id} ${seconds}`);
      const wait = Math.min(seconds * 1000, (endsAfter[id] ?? 0) * 1000);
      return new Promise<void>((resolve) => {
        setTimeout(() => {
          const record = records.get(id);
          if (record !== undefined && record.phase !== "Exited") {
            records.set(id, { ...record, phase: "Exited" });
            note(`end ${id}`);
          }
          resolve();
        }, wait);
      });
    },
  };
  const events = { record: () => {} };
  const network = { find: () => undefined };
  const pod = { metadata: { uid: "uid", name: "pod", namespace: "default" }, spec } as unknown as StoredPod;
  const dependencies = { runtime, events, network, hostIPs: [] } as unknown as AgentDependencies;
  const state = new PodState(pod);
  const stop = (seconds: number) => stopContainers(state, seconds, dependencies, quietScope());
  return { stop, log, state };
}

const container = (name: string, parts: Partial<Container> = {}): Container => ({ name, ...parts });
const sidecar = (name: string, parts: Partial<Container> = {}) =>
  container(name, { ...parts, restartPolicy: "Always" });
const sleeping = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } });
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

test("containers without hooks are signalled at once, side by side", async () => {
  const { stop, log } = running({ containers: [container("a"), container("b")] }, { a: 2, b: 1 });
  const done = stop(30);
  expect(log).toEqual(["0 signal a 30", "0 signal b 30"]);
  await seconds(2);
  await done;
  expect(log.slice(2)).toEqual(["1 end b", "2 end a"]);
});

describe("sidecars", () => {
  const spec = {
    initContainers: [sidecar("s1"), container("init"), sidecar("s2")],
    containers: [container("a"), container("b")],
  };

  test("stop after the app containers, the last one first, in what is left of the time", async () => {
    const { stop, log } = running(spec, { a: 2, b: 3, s1: 1, s2: 4 });
    const done = stop(30);
    await seconds(30);
    await done;
    expect(log.filter((line) => line.includes("signal"))).toEqual([
      "0 signal init 30",
      "0 signal a 30",
      "0 signal b 30",
      "3 signal s2 27",
      "7 signal s1 23",
    ]);
  });

  test("have two seconds when the time is up", async () => {
    const { stop, log } = running(spec, { a: 60, b: 0, s1: 60, s2: 60 });
    const done = stop(5);
    await seconds(10);
    await done;
    expect(log.filter((line) => line.includes(" s"))).toEqual(
      ["0 signal init 5", "0 signal a 5", "0 signal b 5", "5 signal s2 2", "5 signal s1 2"].concat([
        "7 end s2",
        "7 end s1",
      ]),
    );
  });
});

describe("preStop", () => {
  test("counts against the grace period", async () => {
    const { stop, log } = running({ containers: [container("a", sleeping(4))] }, { a: 1 });
    const done = stop(10);
    await seconds(6);
    await done;
    expect(log).toEqual(["4 signal a 6", "5 end a"]);
  });

  test("is cut off by it, and two seconds are left", async () => {
    const { stop, log } = running({ containers: [container("a", sleeping(60))] }, { a: 60 });
    const done = stop(3);
    await seconds(6);
    await done;
    expect(log).toEqual(["3 signal a 2", "5 end a"]);
  });

  test("of sidecars run with those of the others", async () => {
    const { stop, log } = running(
      { initContainers: [sidecar("s", sleeping(3))], containers: [container("a")] },
      { a: 5, s: 1 },
    );
    const done = stop(10);
    await seconds(6);
    await done;
    expect(log).toEqual(["0 signal a 10", "5 end a", "5 signal s 5", "6 end s"]);
  });
});

test("a second call with less time shortens the first, a longer one does nothing", async () => {
  const { stop, log, state } = running({ containers: [container("a", sleeping(60))] }, { a: 60 });
  const first = stop(100);
  await seconds(1);
  const second = stop(2);
  const third = stop(50);
  await seconds(6);
  await Promise.all([first, second, third]);
  expect(log).toEqual(["3 signal a 2", "5 end a"]);
  expect(state.stops.size).toBe(0);
});
