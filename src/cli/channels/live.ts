import type { Channel } from "../../channels/types.ts";
import { columnWidths, formatColumns } from "../printers/columns.ts";
import { type Style, styled, type Terminal } from "../terminal.ts";
import { formatBytes } from "./channel-map.ts";
import { type Look, missingLines, shownRows } from "./look.ts";
import { type LookTableOptions, lookTable } from "./look-table.ts";

/** Shows one look after the other. */
export interface LookDisplay {
  show(look: Look): void;
  /** Leaves the terminal as it was. Idempotent. */
  close(): void;
}

/** In place, as top(1) does it, where standard output is a terminal; else a line for every row that changed. */
export function createLookDisplay(terminal: Terminal, title: string, options: LookTableOptions): LookDisplay {
  return terminal.outIsTerminal === true
    ? new InPlaceDisplay(terminal, title, options)
    : new AppendingDisplay(terminal, options);
}

// ECMA-48 and xterm's alternate screen: what was on the screen is there again afterwards.
const enterScreen = "\u001b[?1049h\u001b[?25l";
const leaveScreen = "\u001b[?25h\u001b[?1049l";
const home = "\u001b[H";
const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";

const stateStyles: Readonly<Record<Channel["status"]["state"], Style | undefined>> = {
  Active: "green",
  Listening: undefined,
  Idle: undefined,
  Blocked: "red",
  Stale: "yellow",
  Closed: "dim",
};

class InPlaceDisplay implements LookDisplay {
  readonly #terminal: Terminal;
  readonly #title: string;
  readonly #options: LookTableOptions;
  #open = false;
  #before: Look | undefined;

  constructor(terminal: Terminal, title: string, options: LookTableOptions) {
    this.#terminal = terminal;
    this.#title = title;
    this.#options = options;
  }

  show(look: Look): void {
    if (!this.#open) this.#terminal.out(enterScreen);
    this.#open = true;
    const rows = shownRows(look, this.#options.all);
    const { header, lines } = lookTable(look, rows, this.#options);
    const rates = rows.map(({ channel }) => rateOf(channel, this.#before, look));
    this.#before = look;
    const table = formatColumns([
      [...header, "RATE"],
      ...lines.map((line, index) => [...line, rates[index] ?? ""]),
    ])
      .trimEnd()
      .split("\n");
    const at = new Date(look.at).toTimeString().slice(0, 8);
    const head = `${this.#title}: ${rows.length} channels at ${at} (Ctrl-C ends)`;
    const room = (this.#terminal.rows ?? 24) - 4 - look.missing.length;
    const [titles = "", ...body] = table;
    const shown = body.slice(0, Math.max(room, 1)).map((text, index) => {
      const style = stateStyles[rows[index]?.channel.status.state ?? "Idle"];
      const line = this.#cut(text);
      return style === undefined ? line : styled(this.#terminal, style, line);
    });
    const hidden = body.length - shown.length;
    const screen = [
      this.#cut(head),
      "",
      styled(this.#terminal, "bold", this.#cut(titles)),
      ...shown,
      ...(hidden > 0 ? [`… and ${hidden} more`] : []),
      ...missingLines(look).map((line) => styled(this.#terminal, "yellow", this.#cut(line))),
    ];
    this.#terminal.out(`${home}${screen.map((line) => `${line}${clearLine}\n`).join("")}${clearBelow}`);
  }

  #cut(line: string): string {
    return [...line].slice(0, this.#terminal.columns).join("");
  }

  close(): void {
    if (this.#open) this.#terminal.out(leaveScreen);
    this.#open = false;
  }
}

/** Bytes per second of both directions since the look before. */
function rateOf(channel: Channel, before: Look | undefined, now: Look): string {
  const last = before?.rows.find(
    ({ channel: each }) => each.metadata.name === channel.metadata.name,
  )?.channel;
  const sum = ({ status }: Channel) =>
    (status.traffic?.clientToServer?.bytes ?? 0) + (status.traffic?.serverToClient?.bytes ?? 0);
  if (last === undefined || before === undefined || channel.status.traffic === undefined) return "";
  const bytes = Math.max(0, sum(channel) - sum(last));
  return `${formatBytes(Math.round((bytes * 1000) / Math.max(now.at - before.at, 1)))}/s`;
}

class AppendingDisplay implements LookDisplay {
  readonly #terminal: Terminal;
  readonly #options: LookTableOptions;
  readonly #shown = new Map<string, string>();
  #headed = false;
  #widths: number[] = [];
  #missing = "";

  constructor(terminal: Terminal, options: LookTableOptions) {
    this.#terminal = terminal;
    this.#options = options;
  }

  show(look: Look): void {
    const rows = shownRows(look, this.#options.all);
    const { header, lines, ageColumn } = lookTable(look, rows, this.#options);
    const changed = lines.filter((line, index) => {
      const name = rows[index]?.channel.metadata.name ?? "";
      // Time that goes by changes nothing.
      const text = JSON.stringify(line.toSpliced(ageColumn, 1));
      if (this.#shown.get(name) === text) return false;
      this.#shown.set(name, text);
      return true;
    });
    const heads = this.#headed || this.#options.noHeaders ? [] : [header];
    if (changed.length > 0) {
      const columns = columnWidths([header, ...changed]);
      this.#widths = columns.map((width, index) => Math.max(width, this.#widths[index] ?? 0));
      this.#terminal.out(formatColumns([...heads, ...changed], this.#widths));
      this.#headed = true;
    }
    const missing = missingLines(look).join("\n");
    if (missing !== this.#missing && missing !== "") this.#terminal.err(`${missing}\n`);
    this.#missing = missing;
  }

  close(): void {}
}
