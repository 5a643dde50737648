import { errorCode } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import type { Client } from "../../client/client.ts";
import type { KubernetesObject } from "../../kube/types.ts";
import { defineCommand } from "../command.ts";
import { type GetQuery, qualifiedName } from "../get-query.ts";
import { usageError } from "../parse-arguments.ts";
import { columnWidths, formatColumns } from "../printers/columns.ts";
import { formatObjects, type OutputFormat } from "../printers/objects.ts";
import { type TableOptions, tableHeader, tableRows } from "../printers/table.ts";
import { reportError } from "../report-error.ts";
import { namespaceOf } from "../session.ts";
import { objectOutput } from "../shared-options.ts";
import { parseTypesAndNames } from "../type-arguments.ts";

export const get = defineCommand({
  name: "get",
  summary: "Show objects of one type or several",
  description:
    "TYPE is any type of the node's API, by its plural, singular or short name (pods, pod, po; pvc, svc, deploy), several of them (pods,nodes), or all: pods and what makes them.",
  usage: "(TYPE[,TYPE...] [NAME...] | TYPE/NAME...)",
  args: { min: 1, max: 1000 },
  completes: "types",
  options: {
    output: objectOutput,
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
    { text: "All pods and what makes them", command: "peapod get all" },
    { text: "What happened lately, and what happens next", command: "peapod get events -w" },
  ],
  async run({ options, args, session }) {
    const groups = await parseTypesAndNames(args, session);
    const { scope, terminal } = session;
    if (options["all-namespaces"] && groups.some(({ names }) => names.length > 0)) {
      throw usageError("a resource cannot be retrieved by name across all namespaces");
    }
    const queries = groups.map(
      ({ type, names }): GetQuery => ({
        type,
        names,
        namespace: options["all-namespaces"] || !type.namespaced ? undefined : namespaceOf(session),
        labelSelector: options.selector,
        fieldSelector: options["field-selector"],
        ignoreNotFound: options["ignore-not-found"],
      }),
    );
    const tableOptions = ({ type }: GetQuery): TableOptions => ({
      wide: options.output === "wide",
      showNamespace: options["all-namespaces"] && type.namespaced,
      showLabels: options["show-labels"],
      ...(queries.length === 1 ? {} : { qualifiedName: (name: string) => qualifiedName(type, name) }),
    });
    if (options.watch || options["watch-only"]) {
      const [query] = queries;
      if (query === undefined || queries.length > 1)
        throw usageError("you may only watch a single type of object");
      const { watchAndPrint } = await import("../watch-and-print.ts");
      const output = options.output as OutputFormat | undefined;
      const watchOptions = { output, watchOnly: options["watch-only"], noHeaders: options["no-headers"] };
      return watchAndPrint(query, { ...tableOptions(query), ...watchOptions }, session);
    }
    let failed = false;
    const onError = (error: unknown) => {
      reportError(error, "peapod get", terminal.err);
      failed = true;
    };

    if (options.output === "json" || options.output === "yaml" || options.output === "name") {
      const found = await Promise.all(
        queries.map((query) => fetchObjects(session.client, query, scope, onError)),
      );
      if (options.output === "name") {
        for (const [index, { type }] of queries.entries()) {
          for (const { metadata } of found[index] ?? [])
            terminal.out(`${qualifiedName(type, metadata.name)}\n`);
        }
        return failed ? 1 : 0;
      }
      const objects = found.flat();
      const single = queries.length === 1 && queries[0]?.names.length === 1;
      if (objects.length > 0 || queries.some(({ names }) => names.length === 0)) {
        const { "show-managed-fields": showManagedFields } = options;
        terminal.out(await formatObjects(options.output, objects, single, { showManagedFields }));
      }
      return failed ? 1 : 0;
    }

    const tables = await Promise.all(
      queries.map((query) => fetchRows(session.client, query, tableOptions(query), scope, onError)),
    );
    const texts = tables.flatMap(({ header, rows }) => {
      const lines = options["no-headers"] || header === undefined ? rows : [header, ...rows];
      return rows.length === 0 ? [] : [formatColumns(lines, columnWidths(lines))];
    });
    terminal.out(texts.join("\n"));
    if (texts.length === 0 && queries.every(({ names }) => names.length === 0)) {
      const [namespace] = queries.flatMap((query) => query.namespace ?? []);
      terminal.err(
        namespace === undefined ? "No resources found\n" : `No resources found in ${namespace} namespace.\n`,
      );
    }
    return failed ? 1 : 0;
  },
});

/** One look at a type: all that the selectors let through, or the named ones, of which those missing are reported. */
async function fetchEach<T>(
  query: GetQuery,
  fetch: (name: string | undefined) => Promise<T>,
  onError: (error: unknown) => void,
): Promise<T[]> {
  if (query.names.length === 0) return [await fetch(undefined)];
  const found: T[] = [];
  for (const name of query.names) {
    try {
      found.push(await fetch(name));
    } catch (error) {
      if (errorCode(error) !== "NotFound") throw error;
      if (!query.ignoreNotFound) onError(error);
    }
  }
  return found;
}

async function fetchRows(
  client: Client,
  query: GetQuery,
  options: TableOptions,
  scope: Scope,
  onError: (error: unknown) => void,
): Promise<{ header: string[] | undefined; rows: string[][] }> {
  const { type, namespace, labelSelector, fieldSelector } = query;
  const fetch = (name: string | undefined) =>
    client.table(type, { namespace, name, labelSelector, fieldSelector }, scope);
  const tables = await fetchEach(query, fetch, onError);
  const [first] = tables;
  return {
    header: first && tableHeader(first, options),
    rows: tables.flatMap((table) => tableRows(table, options)),
  };
}

async function fetchObjects(
  client: Client,
  query: GetQuery,
  scope: Scope,
  onError: (error: unknown) => void,
): Promise<KubernetesObject[]> {
  const { type, namespace, labelSelector, fieldSelector } = query;
  const fetch = async (name: string | undefined): Promise<readonly KubernetesObject[]> => {
    if (name !== undefined) return [await client.get(type, { namespace, name }, scope)];
    const { items } = await client.list(type, { namespace, labelSelector, fieldSelector }, scope);
    // Items of a list don't carry what the list says already; alone they must.
    const { apiVersion, kind } = type;
    return items.map((item) => ({ ...item, apiVersion, kind }));
  };
  return (await fetchEach(query, fetch, onError)).flat();
}
