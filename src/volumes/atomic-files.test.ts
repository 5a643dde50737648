import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeAtomically } from "./atomic-files.ts";
import type { VolumeFile } from "./types.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "peapod-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = Date.parse("2026-11-22T23:00:00Z");

function write(files: Record<string, string>, mode = 0o644): void {
  const content = Object.entries(files).map(([path, text]): [string, VolumeFile] => [
    path,
    { data: Buffer.from(text), mode },
  ]);
  writeAtomically(folder, new Map(content), at, () => {});
}

const read = (path: string) => readFileSync(join(folder, path), "utf8");

test("files are links through ..data into a folder of the time of writing", () => {
  write({ a: "1", "deep/er/b": "2" }, 0o400);
  expect(readlinkSync(join(folder, "a"))).toBe("..data/a");
  expect(readlinkSync(join(folder, "deep"))).toBe("..data/deep");
  expect(readlinkSync(join(folder, "..data"))).toMatch(/^\.\.2026_11_22_23_00_00\./);
  expect([read("a"), read("deep/er/b")]).toEqual(["1", "2"]);
  expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o400);
  expect(statSync(join(folder, "deep/er")).mode & 0o777).toBe(0o755);
});

test("new content replaces all of the old, and leaves nothing of it", () => {
  write({ a: "1", gone: "x", "deep/b": "2" });
  write({ a: "3", "deep/c": "4" });
  expect(readdirSync(folder).filter((name) => !name.startsWith(".."))).toEqual(["a", "deep"]);
  expect(readdirSync(join(folder, "deep"))).toEqual(["c"]);
  expect(readdirSync(folder).filter((name) => name.startsWith("..2026"))).toHaveLength(1);
  expect(read("a")).toBe("3");
});

test("the same content changes nothing", () => {
  write({ a: "1", "deep/b": "2" });
  const before = readlinkSync(join(folder, "..data"));
  write({ a: "1", "deep/b": "2" });
  expect(readlinkSync(join(folder, "..data"))).toBe(before);
});

test("what a killed daemon left half written is cleared away", () => {
  write({ a: "1" });
  mkdirSync(join(folder, "..2020_01_01_00_00_00.half"));
  symlinkSync("..2020_01_01_00_00_00.half", join(folder, "..data_tmp"));
  write({ a: "2" });
  expect(readdirSync(folder).toSorted()).toEqual(
    ["..data", readlinkSync(join(folder, "..data")), "a"].toSorted(),
  );
});

test("an empty volume has no files", () => {
  write({});
  expect(readdirSync(folder).filter((name) => !name.startsWith(".."))).toEqual([]);
});

test.each(["", "/a", "a/../b", "..a", "../a", `${"x".repeat(256)}`])("refuses the path %j", (path) => {
  expect(() => write({ [path]: "x" })).toThrow("invalid path");
  expect(readdirSync(folder)).toEqual([]);
});
