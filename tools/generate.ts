import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cliReference } from "./generate-cli-docs.ts";
import { conformanceTable } from "./generate-conformance-table.ts";
import { errorReference } from "./generate-error-reference.ts";
import { generateDescriptions, generateFieldTable } from "./generate-field-table.ts";
import { readmeWithCounts } from "./generate-readme.ts";
import { generateRuleDocs } from "./generate-rule-docs.ts";
import { supportTable } from "./generate-support-table.ts";

/** Writes every generated file of the repository anew: `npm run generate && git diff --exit-code`. */
const files: Readonly<Record<string, () => string | Promise<string>>> = {
  "src/kube/generated/descriptions.ts": generateDescriptions,
  "src/kube/generated/field-table.ts": generateFieldTable,
  "docs/conformance.md": conformanceTable,
  "docs/errors.md": errorReference,
  "docs/reference/cli.md": cliReference,
  "docs/support.md": supportTable,
  "README.md": readmeWithCounts,
  ...generateRuleDocs(),
};

for (const [path, generate] of Object.entries(files)) {
  writeFileSync(join(import.meta.dirname, "..", path), await generate());
}
