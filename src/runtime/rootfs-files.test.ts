import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pathInRootfs, readRootfsFile } from "./rootfs-files.ts";

let rootfs: string;

beforeAll(() => {
  rootfs = mkdtempSync(join(tmpdir(), "peapod-rootfs-"));
  mkdirSync(join(rootfs, "etc"));
  mkdirSync(join(rootfs, "real"));
  writeFileSync(join(rootfs, "real", "passwd"), "inside");
  symlinkSync("/real/passwd", join(rootfs, "etc", "absolute"));
  symlinkSync("../../../../../real/passwd", join(rootfs, "etc", "climbing"));
  symlinkSync("/etc/passwd", join(rootfs, "etc", "outside"));
  symlinkSync("loop", join(rootfs, "etc", "loop"));
  symlinkSync("/real", join(rootfs, "folder"));
  symlinkSync("/proc/self/root/etc", join(rootfs, "magic"));
});
afterAll(() => rmSync(rootfs, { recursive: true }));

test.each([
  ["/etc/absolute", "inside"],
  ["/etc/climbing", "inside"],
  ["/folder/passwd", "inside"],
  ["/../../real/./passwd", "inside"],
  ["/etc/outside", ""],
  ["/etc/loop", ""],
  ["/magic/passwd", ""],
  ["/etc", ""],
  ["/missing", ""],
])("%s reads %j", (path, expected) => {
  expect(readRootfsFile(rootfs, path)).toBe(expected);
});

test("the root is itself", () => {
  expect(pathInRootfs(rootfs, "/..")).toBe(rootfs);
});
