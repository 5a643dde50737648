import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { quietScope } from "../../base/scope.ts";
import type { Probe } from "../../kube/types.ts";
import { ProbeWorker } from "./probe-worker.ts";
import type { ProbeKind, ProbeResult } from "./types.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A worker whose attempts say what `answers` says of the second in which they are made. */
function worker(
  kind: ProbeKind,
  probe: Probe,
  answers: (second: number) => "Success" | "Failure" | undefined,
  parts: { initial?: ProbeResult; startedAt?: number; isStarted?: () => boolean } = {},
) {
  const initial = { startup: "Unknown", liveness: "Success", readiness: "Failure" } as const;
  const counted: number[] = [];
  const changes: string[] = [];
  const one = new ProbeWorker({
    kind,
    probe,
    startedAt: parts.startedAt ?? 0,
    initial: parts.initial ?? initial[kind],
    isStarted: parts.isStarted ?? (() => true),
    attempt: async (failureCounts) => {
      if (failureCounts) counted.push(Date.now() / 1000);
      return answers(Date.now() / 1000);
    },
    onChange: () => changes.push(`${Date.now() / 1000} ${one.result}`),
  });
  const running = one.run(quietScope());
  return { one, counted, changes, running };
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

describe("liveness", () => {
  test("is first tried after the initial delay, then every period", async () => {
    const { counted } = worker("liveness", { initialDelaySeconds: 3, periodSeconds: 5 }, () => "Success");
    await seconds(15);
    expect(counted).toEqual([3, 8, 13]);
  });

  test("without an initial delay it is first tried after one period", async () => {
    const { counted } = worker("liveness", { periodSeconds: 5 }, () => "Success");
    await seconds(11);
    expect(counted).toEqual([5, 10]);
  });

  test("gives the container up after failureThreshold failures in a row, and ends", async () => {
    const answers = (second: number) => (second === 2 || second >= 4 ? "Failure" : "Success");
    const { counted, changes, running } = worker(
      "liveness",
      { periodSeconds: 1, failureThreshold: 3 },
      answers,
    );
    await seconds(20);
    await running;
    expect(changes).toEqual(["6 Failure"]);
    expect(counted).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("an attempt that could not be made says nothing", async () => {
    const { changes } = worker("liveness", { periodSeconds: 1, failureThreshold: 1 }, () => undefined);
    await seconds(5);
    expect(changes).toEqual([]);
  });

  test("waits for the startup probe", async () => {
    let started = false;
    const { one, counted } = worker("liveness", { periodSeconds: 2 }, () => "Success", {
      isStarted: () => started,
    });
    await seconds(5);
    expect(counted).toEqual([]);
    started = true;
    one.poke();
    await seconds(3);
    expect(counted).toEqual([6, 8]);
  });
});

describe("readiness", () => {
  test("a container that is up soon is ready before the first period ends", async () => {
    const { changes } = worker("readiness", { periodSeconds: 10 }, (second) =>
      second > 0.5 ? "Success" : "Failure",
    );
    await seconds(2);
    expect(changes).toEqual(["0.7 Success"]);
  });

  test("is not tried before the initial delay", async () => {
    const { changes, counted } = worker(
      "readiness",
      { initialDelaySeconds: 5, periodSeconds: 1 },
      () => "Success",
    );
    await seconds(6.5);
    expect(changes).toEqual(["5 Success"]);
    expect(counted).toEqual([5, 6]);
  });

  test("follows its thresholds both ways and goes on", async () => {
    const probe = { periodSeconds: 1, successThreshold: 2, failureThreshold: 2 };
    const answers = (second: number) => (second < 4 || second > 7 ? "Success" : "Failure");
    const { changes } = worker("readiness", probe, answers);
    await seconds(12);
    expect(changes).toEqual(["1 Success", "5 Failure", "9 Success"]);
  });

  test("a later daemon takes over the result and the beat", async () => {
    vi.setSystemTime(7_300);
    const { changes, counted } = worker("readiness", { periodSeconds: 5 }, () => "Success", {
      initial: "Success",
    });
    await seconds(10);
    expect(changes).toEqual([]);
    expect(counted).toEqual([10, 15]);
  });
});

describe("startup", () => {
  test("ends with its success", async () => {
    const { changes, running } = worker("startup", { periodSeconds: 10 }, () => "Success");
    await seconds(1);
    await running;
    expect(changes).toEqual(["0.1 Success"]);
  });

  test("counts only the failures at its periods", async () => {
    const { changes, counted, running } = worker(
      "startup",
      { periodSeconds: 2, failureThreshold: 3 },
      () => "Failure",
    );
    await seconds(10);
    await running;
    expect(counted).toEqual([2, 4, 6]);
    expect(changes).toEqual(["6 Failure"]);
  });

  test("is not repeated by a later daemon", async () => {
    const { counted, running } = worker("startup", { periodSeconds: 1 }, () => "Failure", {
      initial: "Success",
    });
    await seconds(3);
    await running;
    expect(counted).toEqual([]);
  });
});

test("a stopped worker makes no further attempt", async () => {
  const { one, counted, running } = worker("liveness", { periodSeconds: 1 }, () => "Success");
  await seconds(2.5);
  one.stop();
  await running;
  await seconds(5);
  expect(counted).toEqual([1, 2]);
});
