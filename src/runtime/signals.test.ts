import { expect, test } from "vitest";
import { signalNumber } from "./signals.ts";

test.each([
  ["SIGTERM", 15],
  ["TERM", 15],
  ["term", 15],
  ["9", 9],
  ["SIGRTMIN+3", 37],
  ["RTMAX-1", 63],
  ["SIGRTMIN", 34],
  ["SIGRTMAX+1", undefined],
  ["SIGNOTHING", undefined],
  ["0", undefined],
  ["65", undefined],
  ["", undefined],
])("%s is %s", (name, expected) => {
  expect(signalNumber(name)).toBe(expected);
});
