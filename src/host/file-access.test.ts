import { expect, test } from "vitest";
import { parseProcessCredentials } from "./file-access.ts";

test("the file system credentials of /proc/PID/status", () => {
  const status =
    "Name:\tsh\nUid:\t1000\t1000\t1000\t1001\nGid:\t5\t5\t5\t6\nGroups:\t6 2000 \nCapEff:\t0000000000000002\n";
  expect(parseProcessCredentials(status)).toEqual({ uid: 1001, gid: 6, groups: [6, 2000], overrides: true });
  const plain = "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\nCapEff:\t0000000000000000\n";
  expect(parseProcessCredentials(plain)).toEqual({ uid: 0, gid: 0, groups: [], overrides: false });
  expect(parseProcessCredentials("")).toBeUndefined();
});
