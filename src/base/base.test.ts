import { describe, expect, test, vi } from "vitest";
import { Alarms } from "./alarms.ts";
import { errorCode, explain, isConflict, isNotFound, PeapodError } from "./errors.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { silentLog } from "./log.ts";
import { withUndo } from "./undo-stack.ts";

describe("KeyedQueue", () => {
  test("handles a key once more when it was enqueued meanwhile, however often", async () => {
    let release = () => {};
    let runs = 0;
    const queue = new KeyedQueue(
      async () => {
        runs += 1;
        if (runs === 1) await new Promise<void>((resolve) => (release = resolve));
      },
      () => {},
    );
    queue.enqueue("a");
    queue.enqueue("a");
    queue.enqueue("a");
    release();
    await vi.waitFor(() => expect(runs).toBe(2));
    await queue.close();
    expect(runs).toBe(2);
  });

  test("reports what a handler throws and goes on", async () => {
    const errors: unknown[] = [];
    const queue = new KeyedQueue(
      async (key) => {
        throw new Error(key);
      },
      (_key, error) => errors.push(error),
    );
    queue.enqueue("a");
    queue.enqueue("b");
    await queue.close();
    expect(errors.map(explain)).toEqual(["a", "b"]);
  });
});

describe("withUndo", () => {
  test("undoes newest first, past a step that fails, and rethrows", async () => {
    const undone: string[] = [];
    const building = withUndo(silentLog, async (undo) => {
      undo.add("one", () => void undone.push("one"));
      undo.add("two", () => {
        throw new Error("no");
      });
      undo.add("three", () => void undone.push("three"));
      throw new Error("broken");
    });
    await expect(building).rejects.toThrow("broken");
    expect(undone).toEqual(["three", "one"]);
  });

  test("keeps what was built", async () => {
    const undone: string[] = [];
    await withUndo(silentLog, async (undo) => undo.add("one", () => void undone.push("one")));
    expect(undone).toEqual([]);
  });
});

describe("Alarms", () => {
  test("the earliest asked for wins", async () => {
    vi.useFakeTimers();
    try {
      const rung: string[] = [];
      const alarms = new Alarms((key) => rung.push(key), Date.now);
      const start = Date.now();
      alarms.set("a", start + 1_000);
      alarms.set("a", start + 5_000);
      alarms.set("b", start + 500);
      alarms.clear("b");
      vi.advanceTimersByTime(1_000);
      expect(rung).toEqual(["a"]);
      vi.advanceTimersByTime(10_000);
      expect(rung).toEqual(["a"]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("errors", () => {
  test("kinds are found through the cause chain", () => {
    const inner = new PeapodError("NotFound", 'pods "a" not found');
    const outer = new Error("cannot read", { cause: inner });
    expect(errorCode(outer)).toBe("NotFound");
    expect(isNotFound(outer)).toBe(true);
    expect(isConflict(outer)).toBe(false);
    expect(explain(outer)).toBe('cannot read: pods "a" not found');
    expect(inner.http).toBe(404);
  });
});
