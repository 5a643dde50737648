import type { Table } from "../../client/client.ts";
import { tableHeader, tableRows } from "../printers/table.ts";
import type { Look, LookRow } from "./look.ts";

/** How the table of a look is printed. */
export interface LookTableOptions {
  readonly wide: boolean;
  readonly showNamespace: boolean;
  readonly noHeaders: boolean;
  /** Also what stays in one container. */
  readonly all: boolean;
}

/** Headings and lines of a look's rows; `ageColumn` is where the age stands, -1 for nowhere. */
export function lookTable(
  look: Look,
  rows: readonly LookRow[],
  { wide, showNamespace }: LookTableOptions,
): { header: string[]; lines: string[][]; ageColumn: number } {
  const options = { wide, showNamespace, showLabels: false };
  const table: Table = {
    kind: "Table",
    columnDefinitions: look.columns,
    rows: rows.map(({ cells, channel }) => ({ cells, object: { metadata: channel.metadata } })),
  };
  const header = tableHeader(table, options);
  return { header, lines: tableRows(table, options), ageColumn: header.indexOf("AGE") };
}
