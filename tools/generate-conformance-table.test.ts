import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { conformanceTable } from "./generate-conformance-table.ts";
import { themes } from "./support/conformance.ts";

const root = join(import.meta.dirname, "..");

test.each(themes)("the tests of $name are there", ({ behaviours }) => {
  for (const { name, proof, missing } of behaviours) {
    if (proof === undefined) {
      expect(missing, name).toBeDefined();
      continue;
    }
    const [file = "", title = ""] = proof.split(/: (.*)/);
    expect(existsSync(join(root, file)), file).toBe(true);
    expect(readFileSync(join(root, file), "utf8"), name).toContain(title);
  }
});

test.each(themes)("the names of $name are different", ({ behaviours }) => {
  const names = behaviours.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test("docs/conformance.md is the table", () => {
  const committed = readFileSync(join(root, "docs/conformance.md"), "utf8");
  expect(committed === conformanceTable(), "run `npm run generate`").toBe(true);
});
