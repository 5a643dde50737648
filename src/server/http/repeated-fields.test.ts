import { expect, test } from "vitest";
import { repeatedFields } from "./repeated-fields.ts";

const fields = (text: string, type = "application/json") => repeatedFields(type, Buffer.from(text));

test.each([
  ['{"a": 1, "b": {"a": 2}}', []],
  ['{"a": "x\\": 1, \\"a\\": 2", "b": [{"a": 1}, {"a": 1}]}', []],
  ['{"a": 1, "a": 2}', ["a"]],
  [
    '{"spec": {"list": [{"x": 1}, {"y": 1, "y": {"z": 1, "z": 2}}]}, "spec": {}}',
    ["spec.list[1].y", "spec.list[1].y.z", "spec"],
  ],
  ["[]", []],
  ["3", []],
])("%s", (text, found) => {
  expect(fields(text)).toEqual(found);
});

test("patches too, and no other type", () => {
  expect(fields('{"a": 1, "a": 2}', "application/merge-patch+json; charset=utf-8")).toEqual(["a"]);
  expect(fields('{"a": 1, "a": 2}', "application/yaml")).toEqual([]);
});
