import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { notHonoured } from "../src/manifest/not-honoured.ts";
import { rowOf, specFields, supportTable } from "./generate-support-table.ts";
import { rows } from "./support/rows.ts";

const root = join(import.meta.dirname, "..");
const fields = specFields();
const paths = new Set(fields.map(({ path }) => path));

test("every field of a Pod's spec has a row", () => {
  expect(fields.length).toBeGreaterThan(500);
  expect(fields.filter(({ path, isLeaf }) => isLeaf && rowOf(path) === undefined)).toEqual([]);
});

test.each(rows.map(({ path }) => path))("%s is a field", (path) => {
  expect(paths.has(path)).toBe(true);
  expect(rows.filter((row) => row.path === path)).toHaveLength(1);
});

test.each([...new Set(rows.flatMap(({ proof }) => proof))])("%s", (proof) => {
  const [file = "", title = ""] = proof.split(/: (.*)/);
  expect(existsSync(join(root, file))).toBe(true);
  expect(readFileSync(join(root, file), "utf8")).toContain(title);
});

describe("what is not honoured and what the table says agree", () => {
  const wholly = notHonoured.filter(({ when }) => when === undefined);

  test.each(wholly)("$path", ({ path, action }) => {
    const row = rowOf(path);
    expect(row?.peapod === "refused").toBe(action === "refuse");
    if (action === "warn") expect(["warned", "not applicable"]).toContain(row?.peapod);
  });

  test.each(rows.filter(({ peapod }) => peapod !== "supported"))("$path is $peapod", ({ path }) => {
    const isListed = ({ path: listed }: { path: string }) => listed === path || listed.startsWith(`${path}.`);
    expect(notHonoured.some(isListed) || path === "serviceAccount").toBe(true);
  });
});

test("docs/support.md is the table", () => {
  const committed = readFileSync(join(root, "docs/support.md"), "utf8");
  expect(committed === supportTable(), "run `npm run generate`").toBe(true);
});
