import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generateFieldTable } from "./generate-field-table.ts";

test("the committed field table is the one that the packages give", () => {
  const committed = readFileSync(join(import.meta.dirname, "../src/kube/generated/field-table.ts"), "utf8");
  expect(generateFieldTable() === committed, "run `npm run generate`").toBe(true);
});
