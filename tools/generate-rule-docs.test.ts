import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generateRuleDocs } from "./generate-rule-docs.ts";

const root = join(import.meta.dirname, "..");

test.each(Object.entries(generateRuleDocs()))(
  "%s says what its rule says (npm run generate)",
  (path, generate) => {
    expect(readFileSync(join(root, path), "utf8")).toBe(generate());
  },
);

test("docs/rules has no page without a rule", () => {
  const pages = readdirSync(join(root, "docs/rules")).map((name) => `docs/rules/${name}`);
  expect(pages.sort()).toEqual(Object.keys(generateRuleDocs()).sort());
});
