import { expect, test } from "vitest";
import { expandReferences } from "./expansion.ts";

const variables = new Map([
  ["A", "1"],
  ["EMPTY", ""],
]);

test.each([
  ["$(A)", "1"],
  ["x$(A)y$(A)", "x1y1"],
  ["$(EMPTY)", ""],
  ["$(UNKNOWN)", "$(UNKNOWN)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$$$$(A)", "$$(A)"],
  ["$A $", "$A $"],
  ["$(A", "$(A"],
])("%s becomes %s", (text, expanded) => {
  expect(expandReferences(text, variables)).toBe(expanded);
});
