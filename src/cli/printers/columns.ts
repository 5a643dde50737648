/**
 * Text in columns as kubectl aligns them: left, three spaces between, nothing after the last cell
 * (https://pkg.go.dev/k8s.io/cli-runtime/pkg/printers#GetNewTabWriter).
 */
export function formatColumns(rows: readonly (readonly string[])[], widths = columnWidths(rows)): string {
  return rows
    .map((row) => {
      const cells = row.map((cell, index) =>
        index === row.length - 1 ? cell : cell + " ".repeat(Math.max((widths[index] ?? 0) - width(cell), 0)),
      );
      return `${cells.join("").trimEnd()}\n`;
    })
    .join("");
}

/** The width of each column, with the space behind it. */
export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: count }, (_, index) =>
    Math.max(6, ...rows.map((row) => width(row[index] ?? "") + 3)),
  );
}

function width(text: string): number {
  return [...text].length;
}
