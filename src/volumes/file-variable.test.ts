import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readVariable } from "./file-variable.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "peapod-variables-"));
  symlinkSync("/etc/hostname", join(root, "escape"));
});
afterAll(() => rmSync(root, { recursive: true }));

function value(text: string, name = "A"): string | undefined {
  writeFileSync(join(root, "file"), text);
  return readVariable(root, "file", name);
}

test.each([
  ["A='1'", "1"],
  ["  A='1' # comment\n", "1"],
  ["# A='0'\n\nB='2'\nA='1'", "1"],
  ["A='two\nlines $HOME \\n'\n", "two\nlines $HOME \\n"],
  ["A=\n", ""],
  ["B='A=3'\n", undefined],
  ["", undefined],
])("%j", (text, expected) => {
  expect(value(text)).toBe(expected);
});

test.each(["A=1", "A = '1'", "A='1", "nonsense", "A='1' more"])("%j can't be read", (text) => {
  expect(() => value(text)).toThrow("couldn't parse env file");
});

test("no file, no variable; no way out of the volume either", () => {
  expect(readVariable(root, "none", "A")).toBeUndefined();
  expect(() => readVariable(root, "escape", "A")).toThrow("couldn't parse env file");
});
