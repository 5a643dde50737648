import type { Reading } from "./fact.ts";
import type { Traffic } from "./types.ts";

interface Sums {
  clientToServer: Sum;
  serverToClient: Sum;
}

/** Undefined until something was counted: unknown is not zero. */
interface Sum {
  bytes: number | undefined;
  operations: number | undefined;
}

const directions = ["clientToServer", "serverToClient"] as const;
const measures = ["bytes", "operations"] as const;

function emptySums(): Sums {
  return {
    clientToServer: { bytes: undefined, operations: undefined },
    serverToClient: { bytes: undefined, operations: undefined },
  };
}

/** How long a connection is remembered by name, so that its TIME_WAIT (60 s) isn't counted as another one. */
const rememberMilliseconds = 130_000;

/**
 * A channel's totals over time out of counters that come and go: connections end, an element of a counter's set
 * expires, a container restarts. A total never goes backwards.
 */
export class Totals {
  readonly #open = new Map<string, Reading>();
  readonly #counted = new Map<string, Reading>();
  readonly #seen = new Map<string, number>();
  readonly #closedSums = emptySums();
  readonly #countedSums = emptySums();
  readonly #shown = emptySums();
  #connections = 0;
  #countedConnections = 0;
  #shownConnections = 0;
  /** Of the deep look that goes on, or went on when the channel ended. */
  #deep: { readonly since: number; readonly connections: number; readonly sums: Sums } | undefined;

  /** Takes in the readings of one look. */
  update(readings: readonly Reading[], now: number): void {
    this.#takeDeep(readings.filter(({ kind }) => kind === "deep"));
    this.#update(readings, now);
  }

  /** The channel is gone: its last readings were the last. */
  end(now: number): void {
    this.#update([], now);
  }

  #takeDeep(readings: readonly Reading[]): void {
    const sums = emptySums();
    for (const reading of readings) add(sums, reading);
    const connections = readings.reduce((sum, reading) => sum + (reading.connections ?? 0), 0);
    const since = Math.min(...readings.map((reading) => reading.since ?? 0));
    this.#deep = readings.length === 0 ? undefined : { since, connections, sums };
  }

  #update(readings: readonly Reading[], now: number): void {
    const open = new Set<string>();
    for (const reading of readings) {
      if (reading.kind === "deep") continue;
      if (reading.kind === "counted") this.#count(reading);
      else {
        if (!this.#seen.has(reading.id)) this.#connections += 1;
        this.#seen.set(reading.id, now);
        if (reading.kind === "connection") {
          open.add(reading.id);
          this.#open.set(reading.id, reading);
        }
      }
    }
    for (const [id, reading] of this.#open) {
      if (open.has(id)) continue;
      add(this.#closedSums, reading);
      this.#open.delete(id);
    }
    for (const [id, at] of this.#seen) {
      if (now - at > rememberMilliseconds) this.#seen.delete(id);
    }
    this.#show();
  }

  #count(reading: Reading): void {
    const last = this.#counted.get(reading.id);
    const grown = (value: number | undefined, before: number | undefined) =>
      value === undefined ? undefined : value >= (before ?? 0) ? value - (before ?? 0) : value;
    const difference = (direction: (typeof directions)[number]) => {
      const bytes = grown(reading[direction]?.bytes, last?.[direction]?.bytes);
      const operations = grown(reading[direction]?.operations, last?.[direction]?.operations);
      return {
        ...(bytes === undefined ? {} : { bytes }),
        ...(operations === undefined ? {} : { operations }),
      };
    };
    add(this.#countedSums, {
      clientToServer: difference("clientToServer"),
      serverToClient: difference("serverToClient"),
    });
    this.#countedConnections += grown(reading.connections, last?.connections) ?? 0;
    this.#counted.set(reading.id, reading);
  }

  #show(): void {
    const open = emptySums();
    for (const reading of this.#open.values()) add(open, reading);
    for (const direction of directions) {
      for (const measure of measures) {
        const now = open[direction][measure];
        // Both are at most the truth: a connection's last look was before its end, and counters may be younger than it.
        const values = [this.#closedSums, this.#countedSums]
          .map((ended) => plus(ended[direction][measure], now))
          .filter((value) => value !== undefined);
        if (values.length === 0) continue;
        this.#shown[direction][measure] = Math.max(this.#shown[direction][measure] ?? 0, ...values);
      }
    }
    this.#shownConnections = Math.max(this.#shownConnections, this.#connections, this.#countedConnections);
  }

  /** Connections since the channel was first seen. */
  get connections(): number {
    return Math.max(this.#shownConnections, this.#deep?.connections ?? 0);
  }

  /** Undefined while nothing is known. */
  get traffic(): { clientToServer?: Traffic; serverToClient?: Traffic } | undefined {
    return this.#trafficOf(this.#showsDeep ? (this.#deep?.sums ?? emptySums()) : this.#shown);
  }

  /** Milliseconds since the epoch from which on {@link traffic} counts; undefined when that is the channel's start. */
  get countedSince(): number | undefined {
    return this.#showsDeep ? this.#deep?.since : undefined;
  }

  /** The deep look knows bytes where nothing else does. */
  get #showsDeep(): boolean {
    const knowsBytes = directions.some((direction) => this.#shown[direction].bytes !== undefined);
    return this.#deep !== undefined && !knowsBytes;
  }

  #trafficOf(sums: Sums): { clientToServer?: Traffic; serverToClient?: Traffic } | undefined {
    const known = directions.flatMap((direction) => {
      const { bytes, operations } = sums[direction];
      if (bytes === undefined && operations === undefined) return [];
      const traffic: Traffic = {
        ...(bytes === undefined ? {} : { bytes }),
        ...(operations === undefined ? {} : { operations }),
      };
      return [[direction, traffic] as const];
    });
    return known.length === 0 ? undefined : Object.fromEntries(known);
  }
}

/** Unknown only when both are. */
function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
}

function add(sums: Sums, reading: Pick<Reading, "clientToServer" | "serverToClient">): void {
  for (const direction of directions) {
    for (const measure of measures) {
      const value = reading[direction]?.[measure];
      sums[direction][measure] = plus(sums[direction][measure], value);
    }
  }
}
