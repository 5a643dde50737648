import { expect, test } from "vitest";
import { nearestSpelling, spellingHint } from "./spelling.ts";

test.each([
  ["imagePullPolcy", ["image", "imagePullPolicy"], "imagePullPolicy"],
  ["tcp", ["SCTP", "TCP", "UDP"], "TCP"],
  ["restart-policy", ["restartPolicy"], "restartPolicy"],
  ["cpus", ["cpu", "memory"], "cpu"],
  ["frobnicate", ["image", "name"], undefined],
  ["", ["a", "b"], undefined],
])("%s of %j is %s", (word, candidates, expected) => {
  expect(nearestSpelling(word, candidates)).toBe(expected);
});

test("a hint follows a message", () => {
  expect(spellingHint("dta", ["data"])).toBe(', did you mean "data"?');
  expect(spellingHint("zzz", ["data"])).toBe("");
});
