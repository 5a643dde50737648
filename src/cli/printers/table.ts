import type { Table } from "../../client/client.ts";

/** Which of a table's columns are printed, and which are added. */
export interface TableOptions {
  readonly wide: boolean;
  readonly showNamespace: boolean;
  readonly showLabels: boolean;
  /** How a name is printed where objects of several types are: `service/web`. Absent: alone. */
  readonly qualifiedName?: (name: string) => string;
}

/** The table's headings. */
export function tableHeader(table: Table, options: TableOptions): string[] {
  const names = table.columnDefinitions
    .filter(({ priority }) => options.wide || priority === 0)
    .map(({ name }) => name.toUpperCase());
  return [
    ...(options.showNamespace ? ["NAMESPACE"] : []),
    ...names,
    ...(options.showLabels ? ["LABELS"] : []),
  ];
}

/** The table's rows, in the order of {@link tableHeader}. */
export function tableRows(table: Table, options: TableOptions): string[][] {
  const nameIndex = table.columnDefinitions.findIndex(({ name }) => name === "Name");
  const qualified = options.qualifiedName ?? ((name) => name);
  return table.rows.map(({ cells, object }) => {
    const texts = cells.map((cell, index) =>
      index === nameIndex ? qualified(cellText(cell)) : cellText(cell),
    );
    const shown = texts.filter((_, index) => {
      const priority = table.columnDefinitions[index]?.priority ?? 0;
      return options.wide || priority === 0;
    });
    return [
      ...(options.showNamespace ? [object?.metadata?.namespace ?? ""] : []),
      ...shown,
      ...(options.showLabels ? [labelText(object?.metadata?.labels)] : []),
    ];
  });
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined || cell === "") return "<none>";
  // A line feed in a message would break the table; kubectl prints the first line too.
  return String(cell).split("\n")[0] ?? "";
}

function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? "<none>" : pairs.map(([key, value]) => `${key}=${value}`).join(",");
}
