import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { applyOwnership } from "./ownership.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "peapod-ownership-"));
  mkdirSync(join(folder, "below"));
  writeFileSync(join(folder, "below/file"), "", { mode: 0o600 });
  symlinkSync("/etc/passwd", join(folder, "link"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const look = (path: string) => {
  const { gid, mode } = statSync(join(folder, path));
  return `${gid} ${(mode & 0o7777).toString(8)}`;
};
const fsGroup = 4321;

// chown(2) needs root.
const asRoot = test.runIf(process.getuid?.() === 0);

asRoot("everything belongs to the group, which may write and search; links are not followed", () => {
  const before = statSync("/etc/passwd").gid;
  applyOwnership(folder, false, { fsGroup, changePolicy: "Always" });
  expect(look("below")).toBe(`${fsGroup} 2775`);
  expect(look("below/file")).toBe(`${fsGroup} 660`);
  expect(statSync("/etc/passwd").gid).toBe(before);
});

asRoot("of a volume that can only be read the group may read", () => {
  applyOwnership(folder, true, { fsGroup, changePolicy: "Always" });
  expect(look("below/file")).toBe(`${fsGroup} 640`);
});

asRoot("OnRootMismatch leaves alone what has the right root", () => {
  const policy = { fsGroup, changePolicy: "OnRootMismatch" } as const;
  applyOwnership(folder, false, policy);
  writeFileSync(join(folder, "new"), "", { mode: 0o600 });
  applyOwnership(folder, false, policy);
  expect(look("new")).toBe(`${fsGroup} 600`);
  applyOwnership(folder, false, { fsGroup, changePolicy: "Always" });
  expect(look("new")).toBe(`${fsGroup} 660`);
});

test("without a group nothing changes", () => {
  const before = look("below/file");
  applyOwnership(folder, false, { fsGroup: undefined, changePolicy: "Always" });
  expect(look("below/file")).toBe(before);
});
