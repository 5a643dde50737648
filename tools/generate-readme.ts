import { readFileSync } from "node:fs";
import { join } from "node:path";
import { conformanceTable } from "./generate-conformance-table.ts";
import { supportTable } from "./generate-support-table.ts";

const readme = join(import.meta.dirname, "..", "README.md");
const between = /(?<=<!-- counts -->\n).*?(?=<!-- \/counts -->)/s;

/** README.md with the counts of docs/support.md and docs/conformance.md as they are now; all else as it is. */
export function readmeWithCounts(): string {
  const count = (table: string, row: RegExp) => Number(row.exec(table)?.[1]);
  const support = supportTable();
  const supported = count(support, /^\| supported \| \d+ \| (\d+) \|/m);
  const refused = count(support, /^\| refused \| \d+ \| (\d+) \|/m);
  const rows = [...conformanceTable().matchAll(/^\| [a-z][^|]* \| \d+ \| (\d+) \| \d+ \|$/gm)];
  const tested = rows.reduce((sum, row) => sum + Number(row[1]), 0);
  return readFileSync(readme, "utf8").replace(
    between,
    `Of a Pod's spec ${supported} fields mean what they mean on a Kubernetes node and ${refused} are refused by name, never passed over in
silence: [field by field](docs/support.md), each with its test. ${tested} behaviours that Kubernetes' conformance suite names
have a test here on a real node, with the ones that are missing beside them: [one by one](docs/conformance.md).
`,
  );
}
