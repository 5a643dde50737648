import { errorCode } from "../../base/errors.ts";
import type { Client } from "../../client/client.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { defineCommand } from "../command.ts";
import { type GetQuery, qualifiedName } from "../get-query.ts";
import { usageError } from "../parse-arguments.ts";
import { columnWidths, formatColumns } from "../printers/columns.ts";
import { formatObjects, type OutputFormat, outputFormats } from "../printers/objects.ts";
import { type TableOptions, tableHeader, tableRows } from "../printers/table.ts";
import { reportError } from "../report-error.ts";
import { namespaceOf } from "../session.ts";
import { parseTypeAndNames } from "../type-arguments.ts";

export const get = defineCommand({
  name: "get",
  summary: "Show pods, nodes, events, namespaces or channels",
  usage: "TYPE [NAME...]",
  args: { min: 1, max: 1000 },
  completes: "types",
  options: {
    output: {
      type: "string",
      short: "o",
      value: "FORMAT",
      choices: outputFormats,
      summary: "json, yaml, wide or name",
    },
    watch: { type: "boolean", short: "w", summary: "After listing, print every change until Ctrl-C" },
    "watch-only": { type: "boolean", summary: "Print changes without listing first" },
    "all-namespaces": { type: "boolean", short: "A", summary: "Objects of all namespaces" },
    selector: {
      type: "string",
      short: "l",
      value: "SELECTOR",
      summary: "Only objects with these labels, e.g. app=web",
    },
    "field-selector": {
      type: "string",
      value: "SELECTOR",
      summary: "Only objects with these fields, e.g. status.phase=Running",
    },
    "no-headers": { type: "boolean", summary: "Print no line of headings" },
    "show-labels": { type: "boolean", summary: "Add a column with the labels" },
    "show-managed-fields": { type: "boolean", summary: "With json and yaml: also who set which field" },
    "ignore-not-found": { type: "boolean", summary: "Succeed when the named object is not there" },
  },
  examples: [
    { text: "All pods of the namespace", command: "peapod get pods" },
    { text: "One pod with everything that is known of it", command: "peapod get pod web -o yaml" },
    { text: "What happened lately, and what happens next", command: "peapod get events -w" },
  ],
  async run({ options, args, session }) {
    const { type, names } = parseTypeAndNames(args);
    const { client, scope, terminal } = session;
    const namespace = options["all-namespaces"] || !type.namespaced ? undefined : namespaceOf(session);
    if (names.length > 0 && options["all-namespaces"]) {
      throw usageError("a resource cannot be retrieved by name across all namespaces");
    }
    const query: GetQuery = {
      type,
      names,
      namespace,
      labelSelector: options.selector,
      fieldSelector: options["field-selector"],
      ignoreNotFound: options["ignore-not-found"],
    };
    const tableOptions: TableOptions = {
      wide: options.output === "wide",
      showNamespace: options["all-namespaces"] && type.namespaced,
      showLabels: options["show-labels"],
    };
    if (options.watch || options["watch-only"]) {
      const { watchAndPrint } = await import("../watch-and-print.ts");
      const output = options.output as OutputFormat | undefined;
      const watchOptions = { output, watchOnly: options["watch-only"], noHeaders: options["no-headers"] };
      return watchAndPrint(query, { ...tableOptions, ...watchOptions }, session);
    }
    const onError = (error: unknown) => reportError(error, "peapod get", terminal.err);

    if (options.output === "json" || options.output === "yaml" || options.output === "name") {
      const { objects, failed } = await fetchObjects(client, query, scope, onError);
      if (options.output === "name") {
        for (const { metadata } of objects) terminal.out(`${qualifiedName(type, metadata.name)}\n`);
      } else if (objects.length > 0 || names.length === 0) {
        terminal.out(
          await formatObjects(options.output, objects, names.length === 1, {
            showManagedFields: options["show-managed-fields"],
          }),
        );
      }
      return failed ? 1 : 0;
    }

    let header: string[] | undefined;
    const rows: string[][] = [];
    let failed = false;
    const { labelSelector, fieldSelector } = query;
    for (const name of names.length === 0 ? [undefined] : names) {
      try {
        const table = await client.table(type, { namespace, name, labelSelector, fieldSelector }, scope);
        header ??= tableHeader(table, tableOptions);
        rows.push(...tableRows(table, tableOptions));
      } catch (error) {
        if (name === undefined || errorCode(error) !== "NotFound") throw error;
        if (query.ignoreNotFound) continue;
        onError(error);
        failed = true;
      }
    }
    if (rows.length > 0) {
      const lines = options["no-headers"] || header === undefined ? rows : [header, ...rows];
      terminal.out(formatColumns(lines, columnWidths(lines)));
    } else if (names.length === 0) {
      terminal.err(
        namespace === undefined ? "No resources found\n" : `No resources found in ${namespace} namespace.\n`,
      );
    }
    return failed ? 1 : 0;
  },
});

async function fetchObjects(
  client: Client,
  query: GetQuery,
  scope: Parameters<Client["list"]>[2],
  onError: (error: unknown) => void,
): Promise<{ objects: KubernetesObject[]; failed: boolean }> {
  const { type, names, namespace, labelSelector, fieldSelector } = query;
  if (names.length === 0) {
    const list = await client.list(type, { namespace, labelSelector, fieldSelector }, scope);
    // Items of a list don't carry what the list says already; alone they must.
    const { apiVersion, kind } = type;
    return { objects: list.items.map((item) => ({ ...item, apiVersion, kind })), failed: false };
  }
  const objects: KubernetesObject[] = [];
  let failed = false;
  for (const name of names) {
    try {
      objects.push(await client.get(type, { namespace, name }, scope));
    } catch (error) {
      if (errorCode(error) !== "NotFound") throw error;
      if (query.ignoreNotFound) continue;
      onError(error);
      failed = true;
    }
  }
  return { objects, failed };
}
