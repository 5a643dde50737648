import type { Channel, MissingEvidence } from "../../channels/types.ts";
import type { Table } from "../../client/client.ts";
import { channels as channelType } from "../../client/resources.ts";
import { hidesChannel } from "../channel-noise.ts";
import { defineCommand } from "../command.ts";
import { qualifiedName } from "../get-query.ts";
import { formatColumns } from "../printers/columns.ts";
import { formatObjects, outputFormats } from "../printers/objects.ts";
import { tableHeader, tableRows } from "../printers/table.ts";
import { namespaceOf } from "../session.ts";
import { parsePodName } from "../type-arguments.ts";

/** Set by the server on lists of channels (docs/reference/channels.md). */
const missingEvidenceAnnotation = "peapod.dev/missing-evidence";

export const channels = defineCommand({
  name: "channels",
  summary: "Show how containers talk: sockets, pipes, shared memory",
  description:
    "Each line is one way in which two containers (or a container and the outside) exchange data, from what the " +
    "kernel says of it. PORT tells whether it needs a containerPort: only TCP and UDP do, everything else is " +
    "'none needed'. Channels within one container and listeners that nobody uses beside one that is used are left " +
    "out; --all shows them. JSON and YAML are always complete.",
  usage: "[POD]",
  args: { min: 0, max: 1 },
  completes: "pods",
  options: {
    "all-namespaces": { type: "boolean", short: "A", summary: "Channels of all namespaces" },
    output: {
      type: "string",
      short: "o",
      value: "FORMAT",
      choices: outputFormats,
      summary: "json, yaml, wide or name",
    },
    all: { type: "boolean", summary: "Also what stays within one container" },
    "no-headers": { type: "boolean", summary: "Print no line of headings" },
  },
  examples: [
    { text: "Every channel of the namespace", command: "peapod channels" },
    { text: "One pod, with the evidence behind each fact", command: "peapod channels web -o yaml" },
  ],
  async run({ options, args, session }) {
    const { client, scope, terminal } = session;
    const namespace = options["all-namespaces"] ? undefined : namespaceOf(session);
    const pod = args[0] === undefined ? undefined : parsePodName(args[0]);
    const selection = { namespace, fieldSelector: pod === undefined ? undefined : `spec.pod=${pod}` };

    if (options.output === "json" || options.output === "yaml") {
      const list = await client.list<Channel>(channelType, selection, scope);
      terminal.out(await formatObjects(options.output, list.items, false));
      return 0;
    }
    const table = await client.table(channelType, { ...selection, wholeObjects: true }, scope);
    const objects = table.rows.map(({ object }) => object as unknown as Channel);
    const rows = table.rows.filter((_, index) => {
      const channel = objects[index];
      return channel !== undefined && (options.all || !hidesChannel(channel, objects));
    });
    if (options.output === "name") {
      for (const { object } of rows)
        terminal.out(`${qualifiedName(channelType, object?.metadata?.name ?? "")}\n`);
      return 0;
    }
    const tableOptions = {
      wide: options.output === "wide",
      showNamespace: options["all-namespaces"],
      showLabels: false,
    };
    const shown: Table = { ...table, rows };
    const lines = [
      ...(options["no-headers"] ? [] : [tableHeader(table, tableOptions)]),
      ...tableRows(shown, tableOptions),
    ];
    if (rows.length > 0) terminal.out(formatColumns(lines));
    else terminal.err(pod === undefined ? "No channels found.\n" : `No channels found of pod "${pod}".\n`);
    for (const line of missingEvidence(table)) terminal.err(`${line}\n`);
    return 0;
  },
});

/** What this machine can't tell, so that an absent channel is not taken for an absent conversation. */
function missingEvidence(table: Table): string[] {
  const annotation = table.metadata?.annotations?.[missingEvidenceAnnotation];
  const missing: MissingEvidence[] = annotation === undefined ? [] : JSON.parse(annotation);
  return missing.map(({ layer, reason }) => `Not seen on this machine: ${layer} (${reason})`);
}
