import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readmeWithCounts } from "./generate-readme.ts";

test("README.md has the counts of docs/support.md and docs/conformance.md", () => {
  const committed = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
  expect(committed).toMatch(/Of a Pod's spec \d+ fields .* \d+ are refused/);
  expect(committed).not.toContain("NaN");
  expect(committed === readmeWithCounts(), "run `npm run generate`").toBe(true);
});
