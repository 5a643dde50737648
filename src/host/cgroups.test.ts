import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { quietScope } from "../base/scope.ts";
import {
  cgroupHierarchies,
  cgroupMode,
  cgroupV1Path,
  cgroupV2Path,
  killAll,
  outOfMemoryKills,
  processesByOneHierarchy,
  processesIn,
  removeCgroup,
} from "./cgroups.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "peapod-cgroups-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function file(path: string, content = ""): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

describe("version 2 alone", () => {
  beforeEach(() => {
    file("cgroup.controllers", "cpu memory\n");
    file("cgroup.procs");
  });

  test("paths", () => {
    expect(cgroupMode(root)).toBe("unified");
    expect(cgroupHierarchies(root)).toEqual([root]);
    expect(cgroupV2Path("/a/b", root)).toBe(join(root, "a/b"));
    expect(cgroupV1Path("/a/b", "memory", root)).toBeUndefined();
  });

  test("finds processes below, and kills for want of memory", () => {
    file("a/cgroup.procs", "1\n2\n");
    file("a/b/cgroup.procs", "3\n0\n");
    file("a/memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 0\n");
    expect(processesIn("/a", root)).toEqual([1, 2, 3]);
    expect(processesByOneHierarchy("/a", root)).toEqual([1, 2, 3]);
    expect(outOfMemoryKills("/a", root)).toBe(2);
    expect(processesIn("/none", root)).toEqual([]);
    expect(outOfMemoryKills("/none", root)).toBe(0);
  });

  test("removing and killing what is not there does nothing", async () => {
    mkdirSync(join(root, "a/b"), { recursive: true });
    await removeCgroup("/a", quietScope(), root);
    await removeCgroup("/a", quietScope(), root);
    await killAll("/a", quietScope(), root);
    expect(cgroupHierarchies(root)).toEqual([root]);
  });
});

test("hybrid", () => {
  file("memory/cgroup.procs");
  file("memory/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  file("pids/a/cgroup.procs", "9\n");
  file("pids/cgroup.procs");
  file("unified/cgroup.controllers", "\n");
  file("unified/cgroup.procs");
  expect(cgroupMode(root)).toBe("hybrid");
  expect([...cgroupHierarchies(root)].sort()).toEqual(
    ["memory", "pids", "unified"].map((name) => join(root, name)),
  );
  expect(cgroupV2Path("/a", root)).toBe(join(root, "unified/a"));
  expect(cgroupV1Path("/a", "memory", root)).toBe(join(root, "memory/a"));
  expect(outOfMemoryKills("/a", root)).toBe(1);
  expect(processesIn("/a", root)).toEqual([9]);
  expect(processesByOneHierarchy("/a", root)).toEqual([9]);
  file("unified/a/cgroup.procs", "9\n10\n");
  expect(processesByOneHierarchy("/a", root)).toEqual([9, 10]);
});

test("legacy", () => {
  file("memory/cgroup.procs");
  expect(cgroupMode(root)).toBe("legacy");
  expect(cgroupV2Path("/a", root)).toBeUndefined();
});
