import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBeneath } from "./open-beneath.ts";

let base: string;
let root: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "peapod-beneath-"));
  root = join(base, "volume");
  mkdirSync(join(root, "a/b"), { recursive: true });
  writeFileSync(join(base, "outside"), "");
  writeFileSync(join(root, "a/file"), "");
  symlinkSync("b", join(root, "a/link"));
  symlinkSync("../a/link/../file", join(root, "a/winding"));
  symlinkSync("../outside", join(root, "escape"));
  symlinkSync(join(base, "outside"), join(root, "absolute"));
  symlinkSync("loop", join(root, "loop"));
});
afterAll(() => rmSync(base, { recursive: true }));

function open(path: string, create = false): string {
  const fd = openBeneath(root, path, create);
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).slice(root.length);
  } finally {
    closeSync(fd);
  }
}

test.each([
  ["a", "/a"],
  ["a/./b/", "/a/b"],
  ["a/link", "/a/b"],
  ["a/winding", "/a/file"],
  ["a/b/../file", "/a/file"],
])("%s leads to %s", (path, found) => {
  expect(open(path)).toBe(found);
});

test.each(["escape", "absolute", "..", "a/../../outside"])("%s leads out", (path) => {
  expect(() => open(path)).toThrow("leads out of the volume");
});

test("a loop of links ends", () => {
  expect(() => open("loop")).toThrow("ELOOP");
});

test("what is missing is an error, or made with the mode of the folder above", () => {
  expect(() => open("a/none")).toThrow("ENOENT");
  expect(open("a/new/er", true)).toBe("/a/new/er");
  expect(statSync(join(root, "a/new/er")).mode).toBe(statSync(join(root, "a")).mode);
  expect(() => open("a/file/below", true)).toThrow("ENOTDIR");
});
