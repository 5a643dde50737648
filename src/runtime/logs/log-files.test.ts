import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { rotatedLogPath, rotatedLogs } from "./log-files.ts";

test("names a rotated part as the kubelet does", () => {
  expect(rotatedLogPath("/l/0.log", Date.UTC(2026, 10, 22, 23, 4, 5))).toBe("/l/0.log.20261122-230405");
});

test("lists parts oldest first, also many of one second, and nothing else", () => {
  const folder = mkdtempSync(join(tmpdir(), "peapod-log-"));
  const inOrder = [
    "0.log.20261122-225959-11.gz",
    "0.log.20261122-230000.gz",
    "0.log.20261122-230000-2",
    "0.log.20261122-230000-10.gz",
    "0.log.20261122-230001",
  ];
  try {
    for (const name of [
      ...inOrder,
      "0.log",
      "10.log.20261122-230000",
      "0.log.20261122-230000.gz.tmp",
      "0.log.tmp",
    ]) {
      writeFileSync(join(folder, name), "");
    }
    expect(rotatedLogs(join(folder, "0.log")).map((path) => basename(path))).toEqual(inOrder);
    expect(rotatedLogs(join(folder, "none", "0.log"))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
