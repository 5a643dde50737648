import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { cgroupUsage } from "./cgroup-usage.ts";

const root = mkdtempSync(join(tmpdir(), "cgroups-"));
afterEach(() => rmSync(root, { recursive: true, force: true }));

function tree(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

test("version 2", () => {
  tree({
    "cgroup.controllers": "cpu memory\n",
    "a/b/cpu.stat": "usage_usec 1500\nuser_usec 1000\n",
    "a/b/memory.current": "5000\n",
    "a/b/memory.stat": "anon 1\ninactive_file 2000\n",
  });
  expect(cgroupUsage("/a/b", root)).toEqual({ cpuNanoseconds: 1_500_000, workingSetBytes: 3000 });
  expect(cgroupUsage("/a/c", root)).toBeUndefined();
});

test("version 1, with a version 2 tree beside it", () => {
  tree({
    "unified/cgroup.controllers": "",
    "cpuacct/a/cpuacct.usage": "77\n",
    "memory/a/memory.usage_in_bytes": "9000\n",
    "memory/a/memory.stat": "inactive_file 1\ntotal_inactive_file 4000\n",
  });
  expect(cgroupUsage("/a", root)).toEqual({ cpuNanoseconds: 77, workingSetBytes: 5000 });
});
