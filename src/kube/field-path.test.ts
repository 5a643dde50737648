import { expect, test } from "vitest";
import { childPath, itemPath, pathSteps } from "./field-path.ts";

test.each([
  ["", []],
  ["spec", ["spec"]],
  ["spec.containers[0].ports[12].name", ["spec", "containers", 0, "ports", 12, "name"]],
  ["metadata.labels[example.com/a.b]", ["metadata", "labels", "example.com/a.b"]],
])("%s", (path, steps) => {
  expect(pathSteps(path)).toEqual(steps);
});

test("paths are made of their parts", () => {
  expect(childPath("", "spec")).toBe("spec");
  expect(childPath(itemPath(childPath("spec", "containers"), 1), "name")).toBe("spec.containers[1].name");
  expect(itemPath("limits", "cpu")).toBe("limits[cpu]");
});
