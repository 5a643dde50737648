import type { Scope } from "../../base/scope.ts";
import { withTimeout } from "../../base/scope.ts";
import { channels as channelType } from "../../client/resources.ts";
import { drawMap, type MapFormat, mapFormats } from "../channels/draw.ts";
import { type Look, lookOnce, missingLines, shownRows } from "../channels/look.ts";
import { type LookTableOptions, lookTable } from "../channels/look-table.ts";
import { defineCommand } from "../command.ts";
import { findPods } from "../find-pods.ts";
import { qualifiedName } from "../get-query.ts";
import { usageError } from "../parse-arguments.ts";
import { formatColumns } from "../printers/columns.ts";
import { formatObjects, outputFormats } from "../printers/objects.ts";
import { namespaceOf, type Session } from "../session.ts";
import { parsePodName } from "../type-arguments.ts";

/** The server's observer looks as often while somebody asks. */
const lookMilliseconds = 1_000;

export const channels = defineCommand({
  name: "channels",
  summary: "Show how containers talk: sockets, pipes, shared memory",
  description:
    "Each line is one way in which two containers (or a container and the outside) exchange data, from what the " +
    "kernel says of it. PORT tells whether it needs a containerPort: only TCP and UDP do, everything else is " +
    "'none needed'. Channels within one container and listeners that nobody uses beside one that is used are left " +
    "out; --all shows them. JSON and YAML are always complete.",
  usage: "[POD | TYPE/NAME]",
  args: { min: 0, max: 1 },
  completes: "pods",
  options: {
    "all-namespaces": { type: "boolean", short: "A", summary: "Channels of all namespaces" },
    output: {
      type: "string",
      short: "o",
      value: "FORMAT",
      choices: [...outputFormats, ...mapFormats],
      summary: "json, yaml, wide, name, or a drawing: dot, mermaid, svg",
    },
    watch: {
      type: "boolean",
      short: "w",
      summary: "Go on until Ctrl-C: in place on a terminal, a line per change in a pipe",
    },
    for: { type: "duration", value: "TIME", summary: "With --watch or --record: end after this time" },
    deep: {
      type: "boolean",
      summary:
        "Also count bytes of Unix sockets, FIFOs and queues, and see signals (bpftrace; slows the machine)",
    },
    record: {
      type: "string",
      value: "FILE",
      summary: "Write what happens to a file of JSON lines until Ctrl-C",
    },
    replay: {
      type: "string",
      value: "FILE",
      summary: "Show a recording: its end, or with --watch its course",
    },
    speed: {
      type: "integer",
      value: "N",
      summary: "With --replay --watch: so many times as fast",
      default: 1,
    },
    all: { type: "boolean", summary: "Also what stays within one container" },
    "no-headers": { type: "boolean", summary: "Print no line of headings" },
  },
  examples: [
    { text: "Every channel of the namespace", command: "peapod channels" },
    { text: "One pod, with the evidence behind each fact", command: "peapod channels web -o yaml" },
    { text: "Live, with bytes of sockets and FIFOs too", command: "peapod channels -w --deep" },
    { text: "A picture for the documentation", command: "peapod channels web -o svg > web.svg" },
    { text: "Record a minute, then look at it", command: "peapod channels --record talk.jsonl --for 1m" },
  ],
  async run({ options, args, session }) {
    const { terminal } = session;
    const [target] = args;
    // A recording may be of another machine: there a pod is only a name.
    const named =
      target === undefined
        ? undefined
        : options.replay === undefined && target.includes("/")
          ? (await findPods(target, session)).items.map(({ metadata }) => metadata.name)
          : [parsePodName(target)];
    const pod = named?.length === 1 ? named[0] : undefined;
    const query = {
      namespace: options["all-namespaces"] ? undefined : namespaceOf(session),
      pod,
      deep: options.deep,
    };
    const goesOn = options.watch || options.record !== undefined;
    if (options.replay !== undefined && (options.record !== undefined || options.deep)) {
      throw usageError("--replay shows what was recorded: it can't be combined with --record or --deep");
    }
    if (options.watch && options.output !== undefined && options.output !== "wide") {
      throw usageError("--watch shows a table: it can be combined with -o wide only");
    }
    if (options.for !== undefined && !goesOn) throw usageError("--for needs --watch or --record");
    const tableOptions: LookTableOptions = {
      wide: options.output === "wide",
      showNamespace: options["all-namespaces"],
      noHeaders: options["no-headers"],
      all: options.all,
    };
    const draws = mapFormats.includes(options.output as MapFormat);
    const passes = ({ channel }: Look["rows"][number]) =>
      (named === undefined || named.includes(channel.spec.pod)) &&
      (query.namespace === undefined || channel.metadata.namespace === query.namespace);

    if (options.watch || options.record !== undefined) {
      const scope = options.for === undefined ? session.scope : withTimeout(session.scope, options.for);
      const looks =
        options.replay === undefined
          ? liveLooks(session, query, options.record !== undefined, scope)
          : replayed(options.replay, options.speed ?? 1, scope);
      const title = target === undefined ? "Channels" : `Channels of ${pod ?? target}`;
      return follow(looks, passes, session, {
        title,
        watch: options.watch,
        record: options.record,
        tableOptions,
      });
    }
    const whole =
      options.replay === undefined
        ? await lookOnce(session.client, query, draws, session.scope)
        : await lastOf(options.replay);
    const look = { ...whole, rows: whole.rows.filter(passes) };

    if (options.output === "json" || options.output === "yaml") {
      const objects = look.rows.map(({ channel }) => channel);
      terminal.out(await formatObjects(options.output, objects, false));
      return 0;
    }
    if (draws) {
      terminal.out(await drawMap(options.output as MapFormat, look, options.all));
      return 0;
    }
    const rows = shownRows(look, options.all);
    if (options.output === "name") {
      for (const { channel } of rows) {
        terminal.out(`${qualifiedName(channelType, channel.metadata.name)}\n`);
      }
      return 0;
    }
    const { header, lines } = lookTable(look, rows, tableOptions);
    if (rows.length > 0) terminal.out(formatColumns(options["no-headers"] ? lines : [header, ...lines]));
    else
      terminal.err(
        target === undefined
          ? "No channels found.\n"
          : `No channels found of ${pod === undefined ? target : `pod "${pod}"`}.\n`,
      );
    for (const line of missingLines(look)) terminal.err(`${line}\n`);
    return 0;
  },
});

/** Shows or records looks until they end or Ctrl-C comes, which is how it is meant to end. */
async function follow(
  looks: AsyncIterable<Look>,
  passes: (row: Look["rows"][number]) => boolean,
  { terminal }: Session,
  options: {
    title: string;
    watch: boolean;
    record: string | undefined;
    tableOptions: LookTableOptions;
  },
): Promise<number> {
  const { createLookDisplay } = await import("../channels/live.ts");
  const { Recorder } = await import("../channels/recording.ts");
  const display = options.watch
    ? createLookDisplay(terminal, options.title, options.tableOptions)
    : undefined;
  const recorder = options.record === undefined ? undefined : new Recorder(options.record);
  if (recorder !== undefined && display === undefined) {
    terminal.err(`Recording to ${options.record} until Ctrl-C.\n`);
  }
  try {
    for await (const look of looks) {
      const shown = { ...look, rows: look.rows.filter(passes) };
      await recorder?.add(shown);
      display?.show(shown);
    }
  } finally {
    display?.close();
    await recorder?.close();
  }
  if (recorder !== undefined) terminal.err(`${recorder.lines} changes recorded in ${options.record}.\n`);
  return 0;
}

async function* liveLooks(
  { client }: Session,
  query: Parameters<typeof lookOnce>[1],
  withContainers: boolean,
  scope: Scope,
): AsyncGenerator<Look, void, undefined> {
  while (!scope.signal.aborted) {
    try {
      yield await lookOnce(client, query, withContainers, scope);
      await scope.clock.sleep(lookMilliseconds, scope.signal);
    } catch (error) {
      if (scope.signal.aborted) return;
      throw error;
    }
  }
}

async function* replayed(path: string, speed: number, scope: Scope): AsyncGenerator<Look, void, undefined> {
  const { readRecording } = await import("../channels/recording.ts");
  let before: number | undefined;
  for await (const look of readRecording(path)) {
    const pause = (look.at - (before ?? look.at)) / Math.max(speed, 1);
    await scope.clock.sleep(pause, scope.signal).catch(() => {});
    if (scope.signal.aborted) return;
    before = look.at;
    yield look;
  }
}

async function lastOf(path: string): Promise<Look> {
  const { readRecording } = await import("../channels/recording.ts");
  let last: Look = { at: 0, columns: [], rows: [], missing: [], containers: {} };
  for await (const look of readRecording(path)) last = look;
  return last;
}
