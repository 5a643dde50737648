import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cliReference } from "./generate-cli-docs.ts";

test("docs/reference/cli.md is what the commands say (npm run generate)", async () => {
  const path = join(import.meta.dirname, "..", "docs", "reference", "cli.md");
  expect(readFileSync(path, "utf8")).toBe(await cliReference());
});
