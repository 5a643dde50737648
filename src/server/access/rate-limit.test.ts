import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("a burst, then as many as come back, each caller for himself", () => {
  let now = 0;
  const limit = new RateLimit({ burst: 3, perSecond: 2 }, { now: () => now });
  const isTaken = (caller: string) => {
    try {
      limit.take(caller);
      return true;
    } catch {
      return false;
    }
  };
  const some = (caller: string, count: number) => Array.from({ length: count }, () => isTaken(caller));
  expect(some("a", 5)).toEqual([true, true, true, false, false]);
  expect(some("b", 1)).toEqual([true]);
  now = 1_000;
  expect(some("a", 3)).toEqual([true, true, false]);
  now = 60_000;
  expect(some("a", 4)).toEqual([true, true, true, false]);
});

test("callers without number do not fill the memory", () => {
  const limit = new RateLimit({ burst: 1, perSecond: 0 }, { now: () => 0 });
  for (let caller = 0; caller < 5_000; caller += 1) limit.take(String(caller));
  expect(() => limit.take("4999")).toThrow("Too many requests");
  expect(() => limit.take("0")).not.toThrow();
});
