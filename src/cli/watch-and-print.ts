import type { Table } from "../client/client.ts";
import type { KubernetesObject } from "../kube/types.ts";
import { type GetQuery, qualifiedName } from "./get-query.ts";
import { usageError } from "./parse-arguments.ts";
import { columnWidths, formatColumns } from "./printers/columns.ts";
import { formatObjects, type OutputFormat } from "./printers/objects.ts";
import { type TableOptions, tableHeader, tableRows } from "./printers/table.ts";
import type { Session } from "./session.ts";

/** How a watch is printed. */
export interface WatchPrintOptions extends TableOptions {
  readonly output: OutputFormat | undefined;
  readonly watchOnly: boolean;
  readonly noHeaders: boolean;
}

/** `get -w`: prints what is there, then every change, until Ctrl-C (which is how it is meant to end: exit code 0). */
export async function watchAndPrint(
  query: GetQuery,
  options: WatchPrintOptions,
  session: Session,
): Promise<number> {
  if (query.names.length > 1) throw usageError("you may only watch one object at a time");
  const { client, scope, terminal } = session;
  const { type, namespace, labelSelector } = query;
  const [name] = query.names;
  const fieldSelector = name === undefined ? query.fieldSelector : `metadata.name=${name}`;
  const selectors = { namespace, labelSelector, fieldSelector };

  if (options.output !== undefined && options.output !== "wide") {
    const list = await client.list(type, selectors, scope);
    const print = async (object: KubernetesObject) => {
      if (options.output === "name") terminal.out(`${qualifiedName(type, object.metadata.name)}\n`);
      else {
        const whole = { ...object, apiVersion: type.apiVersion, kind: type.kind };
        const text = await formatObjects(options.output === "yaml" ? "yaml" : "json", [whole], true);
        terminal.out(options.output === "yaml" ? `---\n${text}` : text);
      }
    };
    if (!options.watchOnly) for (const item of list.items) await print(item);
    const { resourceVersion } = list.metadata;
    for await (const { object } of client.watch(type, { ...selectors, resourceVersion }, scope))
      await print(object);
    return 0;
  }

  const first = await client.table(type, selectors, scope);
  const lines = [
    ...(options.noHeaders ? [] : [tableHeader(first, options)]),
    ...(options.watchOnly ? [] : tableRows(first, options)),
  ];
  let widths = columnWidths(lines);
  terminal.out(formatColumns(lines, widths));
  const resourceVersion = first.metadata?.resourceVersion;
  for await (const { object } of client.watch<Table>(
    type,
    { ...selectors, resourceVersion, table: true },
    scope,
  )) {
    // The server describes the columns only once per stream.
    const rows = tableRows({ ...object, columnDefinitions: first.columnDefinitions }, options);
    widths = columnWidths(rows).map((width, index) => Math.max(width, widths[index] ?? 0));
    terminal.out(formatColumns(rows, widths));
  }
  return 0;
}
