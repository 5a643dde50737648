import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { removeMappedMounts, withMappedIDs } from "../../src/host/idmapped-mounts.ts";
import { isMounted, listMounts } from "../../src/host/mounts.ts";
import { pinNamespaces, unpinNamespaces } from "../../src/host/namespaces.ts";
import { scope } from "../helpers/pod-drivers.ts";

const first = 131_072;

let base: string;
let user: string;
let folder: string;
let mounts: string;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "peapod-idmapped-"));
  user = join(base, "user");
  folder = join(base, "folder");
  mounts = join(base, "mounts/one");
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), "of root");
  await pinNamespaces({ user: { path: user, hostID: first, size: 65_536 } }, scope);
});
afterEach(() => {
  expect(listMounts().filter(({ target }) => target.startsWith(join(base, "mounts")))).toEqual([]);
  expect(existsSync(join(base, "mounts"))).toBe(false);
});
afterAll(async () => {
  await unpinNamespaces([user], scope);
  rmSync(base, { recursive: true });
});

describe("mounts with mapped IDs", () => {
  test("show folders and files with the namespace's owners, only while they are used", async () => {
    const sources = [folder, join(folder, "file")];
    const paths = await withMappedIDs(
      mounts,
      user,
      sources,
      async (shown) => {
        expect(shown.map((path) => statSync(path).uid)).toEqual([first, first]);
        expect(statSync(join(shown[0] ?? "", "file")).gid).toBe(first);
        return shown;
      },
      scope,
    );
    expect(paths.map((path) => existsSync(path))).toEqual([false, false]);
    expect(statSync(folder).uid).toBe(0);
  });

  test("go with what fails, and what they showed stays", async () => {
    const failing = withMappedIDs(mounts, user, [folder], () => Promise.reject(new Error("no")), scope);
    await expect(failing).rejects.toThrow("no");
    const unmappable = withMappedIDs(mounts, user, [folder, "/sys/kernel"], async () => {}, scope);
    await expect(unmappable).rejects.toThrow("/sys/kernel: its file system (sysfs) cannot map IDs");
    expect(existsSync(join(folder, "file"))).toBe(true);
  });

  test("of a killed daemon are taken away, and what they showed stays", async () => {
    await withMappedIDs(
      mounts,
      user,
      [folder],
      async ([path = ""]) => {
        // All that a daemon killed at this point leaves is what the next one finds here.
        expect(isMounted(path)).toBe(true);
        await removeMappedMounts(mounts, scope);
        await removeMappedMounts(mounts, scope);
        expect(existsSync(path)).toBe(false);
      },
      scope,
    );
    expect(existsSync(join(folder, "file"))).toBe(true);
  });
});
