import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generateDescriptions, generateFieldTable } from "./generate-field-table.ts";

test.each([
  ["field-table.ts", generateFieldTable],
  ["descriptions.ts", generateDescriptions],
])("the committed %s is the one that the packages give", (file, generate) => {
  const committed = readFileSync(join(import.meta.dirname, "../src/kube/generated", file), "utf8");
  expect(generate() === committed, "run `npm run generate`").toBe(true);
});
