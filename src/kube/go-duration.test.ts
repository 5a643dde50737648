import { expect, test } from "vitest";
import { goDuration } from "./go-duration.ts";

test.each([
  [0, "0s"],
  [87.9, "87ms"],
  [1_000, "1s"],
  [4_676, "4.676s"],
  [64_050, "1m4.05s"],
  [3_600_000, "1h0m0s"],
])("%d ms is %s", (milliseconds, text) => {
  expect(goDuration(milliseconds)).toBe(text);
});
