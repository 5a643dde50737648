import { expect, test } from "vitest";
import { formatIndexes, parseIndexes } from "./indexes.ts";

test.each([
  ["", []],
  ["0", [0]],
  ["1,2", [1, 2]],
  ["1,3-5,7", [1, 3, 4, 5, 7]],
  ["0-2,9", [0, 1, 2, 9]],
])("%j", (text, indexes) => {
  expect(formatIndexes(new Set(indexes.toReversed()))).toBe(text);
  expect([...parseIndexes(text, 10)]).toEqual(indexes);
});

test("indexes that the Job no longer has are left out", () => {
  expect([...parseIndexes("0-7,9", 3)]).toEqual([0, 1, 2]);
});
