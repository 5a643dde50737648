import { once } from "node:events";
import { createReadStream, createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { PeapodError } from "../../base/errors.ts";
import type { Channel } from "../../channels/types.ts";
import type { Look, LookRow } from "./look.ts";

const kind = "ChannelRecording";
const apiVersion = "peapod.dev/v1alpha1";

/** A line of a recording after the first: what changed since the line before. */
interface RecordedChange {
  /** RFC 3339 with milliseconds. */
  readonly at: string;
  readonly changed?: readonly LookRow[];
  /** `NAMESPACE/NAME`. */
  readonly gone?: readonly string[];
  readonly missing?: Look["missing"];
  readonly containers?: Look["containers"];
}

function keyOf({ metadata }: Channel): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/**
 * Writes looks to a file of JSON lines: a head, then one line per look in which something changed. Only the owner
 * may read it, since addresses and processes of pods stand in it.
 */
export class Recorder {
  readonly #file: WriteStream;
  readonly #texts = new Map<string, string>();
  #missing = "[]";
  #containers = "{}";
  #begun = false;
  /** Lines written, without the head. */
  lines = 0;

  constructor(path: string) {
    this.#file = createWriteStream(path, { mode: 0o600 });
  }

  /** Resolves when it is handed to the file. Rejects with the system's error when the file can't be written. */
  async add(look: Look): Promise<void> {
    if (!this.#begun) {
      await this.#write({ apiVersion, kind, columns: look.columns });
      this.#begun = true;
    }
    const present = new Map(look.rows.map((row) => [keyOf(row.channel), row]));
    const changed = [...present].filter(([key, { channel }]) => {
      const { status, ...rest } = channel;
      // That it was looked at again is no change.
      const text = JSON.stringify({ ...rest, status: { ...status, lastSeen: "" } });
      if (this.#texts.get(key) === text) return false;
      this.#texts.set(key, text);
      return true;
    });
    const gone = [...this.#texts.keys()].filter((key) => !present.has(key));
    for (const key of gone) this.#texts.delete(key);
    const missing = JSON.stringify(look.missing);
    const containers = JSON.stringify(look.containers);
    const change: RecordedChange = {
      at: new Date(look.at).toISOString(),
      ...(changed.length === 0 ? {} : { changed: changed.map(([, row]) => row) }),
      ...(gone.length === 0 ? {} : { gone }),
      ...(missing === this.#missing ? {} : { missing: look.missing }),
      ...(containers === this.#containers ? {} : { containers: look.containers }),
    };
    this.#missing = missing;
    this.#containers = containers;
    if (Object.keys(change).length === 1) return;
    this.lines += 1;
    await this.#write(change);
  }

  async #write(value: object): Promise<void> {
    const failed = once(this.#file, "error").then(([error]) => Promise.reject(error));
    const written = new Promise<void>((resolve) =>
      this.#file.write(`${JSON.stringify(value)}\n`, () => resolve()),
    );
    await Promise.race([written, failed]);
  }

  /** Resolves when all is on disk. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#file.end(() => resolve()));
  }
}

/** The looks of a recording, in order. Throws Usage when the file is none. */
export async function* readRecording(path: string): AsyncGenerator<Look, void, undefined> {
  const rows = new Map<string, LookRow>();
  let columns: Look["columns"] | undefined;
  let missing: Look["missing"] = [];
  let containers: Look["containers"] = {};
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (line === "") continue;
    const value = parse(line);
    if (columns === undefined) {
      if (value.kind !== kind || value.apiVersion !== apiVersion) throw notARecording(path);
      columns = value.columns as Look["columns"];
      continue;
    }
    const change = value as unknown as RecordedChange;
    for (const row of change.changed ?? []) rows.set(keyOf(row.channel), row);
    for (const key of change.gone ?? []) rows.delete(key);
    missing = change.missing ?? missing;
    containers = change.containers ?? containers;
    yield { at: Date.parse(change.at), columns, rows: [...rows.values()], missing, containers };
  }
  if (columns === undefined) throw notARecording(path);
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // The last line of a recording that was killed.
    return {};
  }
}

function notARecording(path: string): PeapodError {
  return new PeapodError(
    "Usage",
    `${path} is no recording of channels (peapod channels --record FILE makes one)`,
  );
}
