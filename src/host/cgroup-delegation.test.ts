import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { quietScope } from "../base/scope.ts";
import { makeCgroup } from "./cgroup-delegation.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "peapod-delegation-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function cgroup(path: string, controllers: string, handedDown: string): void {
  mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, path, "cgroup.controllers"), controllers);
  writeFileSync(join(root, path, "cgroup.subtree_control"), handedDown);
}

function handedDown(path: string): string {
  return readFileSync(join(root, path, "cgroup.subtree_control"), "utf8");
}

test("version 2: what a cgroup has goes on to its children, at every level", () => {
  // A file of this fake keeps what was written over its start; the kernel's adds to what it has.
  cgroup("", "cpu memory\n", "cpu\n");
  cgroup("a", "memory pids\n", "memory pids\n");
  cgroup("a/b", "pids\n", "");
  makeCgroup("/a/b", quietScope(), root);
  expect(handedDown("")).toContain("+memory");
  expect(handedDown("a")).toBe("memory pids\n");
  expect(handedDown("a/b")).toBe("+pids");
});

test("version 1: the cgroup in every hierarchy", () => {
  for (const name of ["memory", "pids"]) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "cgroup.procs"), "");
  }
  makeCgroup("/a/b", quietScope(), root);
  for (const name of ["memory", "pids"]) expect(existsSync(join(root, name, "a/b"))).toBe(true);
});
