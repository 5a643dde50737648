import { expect, test } from "vitest";
import { age, humanDuration, parseDuration } from "./duration.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

// The cases of kubectl's own HumanDuration test, as far as they print differently.
test.each([
  [-3 * second, "<invalid>"],
  [-second, "0s"],
  [0, "0s"],
  [second, "1s"],
  [70 * second, "70s"],
  [119 * second, "119s"],
  [2 * minute, "2m"],
  [190 * second, "3m10s"],
  [10 * minute, "10m"],
  [179 * minute, "179m"],
  [3 * hour, "3h"],
  [3 * hour + 10 * minute, "3h10m"],
  [8 * hour + 5 * minute, "8h"],
  [47 * hour, "47h"],
  [49 * hour, "2d1h"],
  [8 * day, "8d"],
  [367 * day, "367d"],
  [2 * 365 * day + day, "2y1d"],
  [3 * 365 * day, "3y"],
  [8 * 365 * day + 20 * day, "8y"],
])("%d ms is %s", (milliseconds, text) => {
  expect(humanDuration(milliseconds)).toBe(text);
});

test.each([
  ["90", 90_000],
  ["0", 0],
  ["1h30m", 5_400_000],
  ["1.5s", 1_500],
  ["250ms", 250],
  ["-2s", -2_000],
  ["", undefined],
  ["5 m", undefined],
  ["1d", undefined],
])("parse %j", (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test("age of a time that is not there", () => {
  expect(age(undefined, 0)).toBe("<unknown>");
  expect(age("1970-01-01T00:00:00Z", 5_000)).toBe("5s");
});
