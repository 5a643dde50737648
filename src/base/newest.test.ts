import { expect, test } from "vitest";
import { setNewest } from "./newest.ts";

test("the key that was set the longest ago goes; to be set again makes it the newest", () => {
  const map = new Map<string, number>();
  for (const [index, key] of ["a", "b", "a", "c"].entries()) setNewest(map, key, index, 2);
  expect([...map]).toEqual([
    ["a", 2],
    ["c", 3],
  ]);
});
