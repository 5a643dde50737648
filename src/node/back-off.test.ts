import { expect, test } from "vitest";
import { BackOff, restartLimits } from "./back-off.ts";

test("the first restart is free, then 10 s doubled up to 5 min", () => {
  const backOff = new BackOff(restartLimits);
  const waits: number[] = [];
  let failedAt = 1_000_000;
  for (let crash = 0; crash < 8; crash += 1) {
    const retryAt = backOff.retryAt("a", failedAt);
    waits.push((retryAt - failedAt) / 1000);
    backOff.next("a", failedAt);
    failedAt = retryAt + 1_000;
  }
  expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
});

test("ten quiet minutes make it start anew", () => {
  const backOff = new BackOff(restartLimits);
  backOff.next("a", 0);
  backOff.next("a", 20_000);
  expect(backOff.retryAt("a", 30_000)).toBe(50_000);
  expect(backOff.retryAt("a", 700_000)).toBe(700_000);
});

test("keys do not know of each other", () => {
  const backOff = new BackOff(restartLimits);
  backOff.next("a", 0);
  expect(backOff.retryAt("b", 5)).toBe(5);
});
