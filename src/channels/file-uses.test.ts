import { expect, test } from "vitest";
import { fakeUse } from "./fake-snapshot.ts";
import { FileUses } from "./file-uses.ts";

test("of one file, container and way the last use is kept, with the process that could be named", () => {
  const uses = new FileUses();
  uses.add(fakeUse("a", "write", "data:/x", "1:1", { process: "sh", pid: 7, hostPID: 70, at: 1 }));
  uses.add(fakeUse("a", "write", "data:/y", "1:1", { at: 2 }));
  uses.add(fakeUse("a", "read", "data:/y", "1:1", { at: 3 }));
  expect(uses.all()).toMatchObject([
    { access: "write", label: "data:/y", process: "sh", pid: 7, hostPID: 70, at: 2 },
    { access: "read", process: undefined },
  ]);
});

test("a file that is replaced again and again is remembered a few times", () => {
  const uses = new FileUses();
  for (let n = 0; n < 50; n += 1) uses.add(fakeUse("a", "write", "data:/conf.new", `1:${n}`));
  expect(uses.all().map(({ identity }) => identity)).toEqual(["1:46", "1:47", "1:48", "1:49"]);
});

test("too many uses, and old ones, are forgotten; of what containers share the last", () => {
  const uses = new FileUses();
  uses.add(fakeUse("a", "write", "data:/shared", "1:s"));
  uses.add(fakeUse("b", "read", "data:/shared", "1:s"));
  for (let n = 0; n < 2_000; n += 1) uses.add(fakeUse("a", "write", `data:/${n}`, `1:${n}`, { at: 1_000 }));
  uses.expire(2_000);
  const left = uses.all();
  expect(left).toHaveLength(500);
  expect(left.slice(0, 2).map(({ label }) => label)).toEqual(["data:/shared", "data:/shared"]);
  expect(left.at(-1)?.label).toBe("data:/1999");
  uses.expire(600_500);
  expect(uses.all().every(({ at }) => at === 1_000)).toBe(true);
  uses.expire(700_000);
  expect(uses.all()).toEqual([]);
});
