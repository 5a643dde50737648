import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Scope } from "../src/base/scope.ts";
import type { ChannelObserver } from "../src/channels/types.ts";
import { cgroupV2Path } from "../src/host/cgroups.ts";
import type { TrafficCounters } from "../src/network/types.ts";
import type { HandMadePod } from "../test/fixtures/hand-made-pod.ts";
import { binCount, percentile } from "./measure/histogram.ts";
import { type Estimate, estimate } from "./measure/statistics.ts";

export type LoadKind = "tcp" | "unix";

/** Round trips of one window, by their time. */
type Histogram = Float64Array;

/** What is on in a window: nothing; the counters; the counters and one look; the deep look. */
type State = "off" | "off again" | "counters" | "look" | "deep";

interface Talker {
  /** One window. */
  run(milliseconds: number): Promise<Histogram>;
}

const windowMilliseconds = 200;
const settlingMilliseconds = 50;
/** How often the observer looks while somebody asks, and while nobody does (src/channels/observer.ts). */
const intervals = { watched: 1_000, "nobody asks": 5_000 } as const;

/**
 * Measures what the observer costs round trips of 100 bytes in one pod. In each block all states have one short
 * window, in random order, so that what is compared ran within a second.
 *
 * A look takes some 20 ms and comes once a second, or in five: most windows would have none. Here a window has one or
 * none, which makes its price visible above the noise; it is then spread over the time between two looks.
 */
export class ObserverLoad {
  readonly #pod: HandMadePod;
  readonly #counters: TrafficCounters;
  readonly #scope: Scope;
  readonly #processes: ChildProcess[] = [];
  readonly #talkers = new Map<LoadKind, Talker>();

  constructor(pod: HandMadePod, counters: TrafficCounters, scope: Scope) {
    this.#pod = pod;
    this.#counters = counters;
    this.#scope = scope;
  }

  /** Starts the load's programs in two containers of the pod. */
  async start(): Promise<void> {
    for (const name of ["server", "client"]) await this.#pod.run(name, { script: "exec sleep infinity" });
    for (const kind of ["tcp", "unix"] as const) {
      const folder = join(this.#pod.volume, kind);
      const server = this.#talker("server", kind, folder);
      const { value: port } = await lines(server).next();
      const client = this.#talker("client", kind, folder, String(port));
      const answers = lines(client);
      this.#talkers.set(kind, {
        async run(milliseconds) {
          client.stdin?.write(`${milliseconds}\n`);
          const { value, done } = await answers.next();
          if (done) throw new Error(`the load's client (${kind}) ended`);
          return parse(value);
        },
      });
    }
  }

  /**
   * In the container's cgroup, network and IPC namespace; its mounts make no difference to sockets. Both ends are on
   * one CPU: on which of several the scheduler wakes the other end moves a round trip by more than what is measured.
   */
  #talker(role: "server" | "client", kind: LoadKind, ...words: string[]): ChildProcess {
    const program = join(import.meta.dirname, "measure", "talker.ts");
    const { netns } = this.#pod.observed();
    const script = `echo $$ > ${cgroupV2Path(this.#pod.cgroupOf(role))}/cgroup.procs; exec nsenter --net=${netns} "$@"`;
    const talker = ["taskset", "--cpu-list", `${availableParallelism() - 1}`, process.execPath, program];
    const child = spawn("sh", ["-c", script, "sh", ...talker, role, kind, ...words], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#processes.push(child);
    return child;
  }

  #count(on: boolean): void {
    for (const { cgroup } of this.#pod.observed().containers) {
      if (on) this.#counters.install(cgroup);
      else this.#counters.remove(cgroup);
    }
  }

  /** Blocks of all states but the deep one. `look` takes one look, and must not answer from an earlier one. */
  async blocks(count: number, look: () => Promise<unknown>, say: (text: string) => void): Promise<Block[]> {
    const blocks: Block[] = [];
    for (let block = -2; block < count; block += 1) {
      if (block % 25 === 0) say(`Block ${block} of ${count}`);
      const measured: Block = { tcp: new Map(), unix: new Map() };
      for (const state of shuffled<State>(["off", "off again", "counters", "look"])) {
        this.#count(state === "counters" || state === "look");
        // The kernel ends what attaching and detaching programs leaves to be done, or the window would have it.
        await this.#scope.clock.sleep(settlingMilliseconds, this.#scope.signal);
        for (const kind of shuffled<LoadKind>(["tcp", "unix"])) {
          const running = this.#talkers.get(kind)?.run(windowMilliseconds);
          if (state === "look") await look();
          if (running !== undefined) measured[kind].set(state, await running);
        }
      }
      if (block >= 0) blocks.push(measured);
    }
    this.#count(true);
    return blocks;
  }

  /** Windows with the deep look and without, in turns; with it the counters are on, as they are as a rule. */
  async deepBlocks(
    count: number,
    observe: () => ChannelObserver,
    say: (text: string) => void,
  ): Promise<Block[]> {
    const blocks: Block[] = [];
    for (let block = 0; block < count; block += 1) {
      say(`Deep block ${block + 1} of ${count}`);
      const measured: Block = { tcp: new Map(), unix: new Map() };
      for (const state of shuffled<State>(["counters", "deep"])) {
        const observer = observe();
        if (state === "deep") await observer.list(this.#scope, { deep: true });
        for (const kind of ["tcp", "unix"] as const) {
          const histogram = await this.#talkers.get(kind)?.run(4 * windowMilliseconds);
          if (histogram !== undefined) measured[kind].set(state, histogram);
        }
        await observer.stop();
      }
      blocks.push(measured);
    }
    return blocks;
  }

  stop(): void {
    for (const child of this.#processes) child.kill("SIGKILL");
  }
}

/** One window of each state, for each kind of load. */
export type Block = Record<LoadKind, Map<State, Histogram>>;

/** What a state costs beside another: round trips per second, and their times. */
export interface Cost {
  /** Middle one of the blocks' ratios. */
  readonly throughput: Estimate;
  /** Of all round trips together. */
  readonly median: Estimate;
  /** The same. A few bad windows of the machine make most of the slowest hundredth, so it says little of the rest. */
  readonly p99: Estimate;
  /** Middle one of the blocks' ratios of each window's own 99th percentile. */
  readonly windowP99: Estimate;
}

/** `state` beside `base`, as ratios. */
export function costOf(blocks: readonly Block[], kind: LoadKind, state: State, base: State): Cost {
  return compare(blocks, kind, [state, state, 0], [base, base, 0]);
}

/** The counters, and a look every so often, beside nothing. */
export function costOfObserving(
  blocks: readonly Block[],
  kind: LoadKind,
  pace: keyof typeof intervals,
): Cost {
  const share = windowMilliseconds / intervals[pace];
  // Two windows beside two: the slowest hundredth of two together is slower than that of one, whatever is on.
  return compare(blocks, kind, ["counters", "look", share], ["off", "off again", share]);
}

/** What a look every so often adds to the counters. */
export function costOfLooking(blocks: readonly Block[], kind: LoadKind, pace: keyof typeof intervals): Cost {
  const share = windowMilliseconds / intervals[pace];
  return compare(blocks, kind, ["counters", "look", share], ["counters", "counters", share]);
}

/** Windows of the one and of the other state, as much of the other as `share` says. */
type Mixture = readonly [one: State, other: State, share: number];

function compare(blocks: readonly Block[], kind: LoadKind, state: Mixture, base: Mixture): Cost {
  const pairs = blocks.map((block) => ({ on: mix(block[kind], state), off: mix(block[kind], base) }));
  const ratio = (figure: (histogram: Histogram) => number) =>
    estimate(
      pairs,
      (drawn) => figure(sum(drawn.map(({ on }) => on))) / figure(sum(drawn.map(({ off }) => off))),
      200,
    );
  // One bad second of the machine must not decide.
  const middleOfBlocks = (figure: (histogram: Histogram) => number) =>
    estimate(
      pairs.map(({ on, off }) => figure(on) / figure(off)),
      (drawn) => drawn.toSorted((a, b) => a - b)[drawn.length >> 1] ?? Number.NaN,
    );
  const p99 = (histogram: Histogram) => percentile(histogram, 0.99);
  return {
    throughput: middleOfBlocks(total),
    median: ratio((histogram) => percentile(histogram, 0.5)),
    p99: ratio(p99),
    windowP99: middleOfBlocks(p99),
  };
}

function mix(block: Map<State, Histogram>, [one, other, share]: Mixture): Histogram {
  const mixed = new Float64Array(binCount);
  const [first, second] = [block.get(one), block.get(other)];
  for (let bin = 0; bin < binCount; bin += 1) {
    mixed[bin] = (1 - share) * (first?.[bin] ?? 0) + share * (second?.[bin] ?? 0);
  }
  return mixed;
}

function sum(histograms: readonly Histogram[]): Histogram {
  const all = new Float64Array(binCount);
  for (const histogram of histograms) {
    for (let bin = 0; bin < binCount; bin += 1) all[bin] = (all[bin] ?? 0) + (histogram[bin] ?? 0);
  }
  return all;
}

function total(histogram: Histogram): number {
  return histogram.reduce((all, count) => all + count, 0);
}

/** Round trips per second of a state, and their median and 99th percentile in microseconds. */
export function figuresOf(blocks: readonly Block[], kind: LoadKind, state: State) {
  const all = sum(blocks.flatMap((block) => block[kind].get(state) ?? []));
  const seconds = (blocks.length * windowMilliseconds) / 1e3;
  return {
    perSecond: total(all) / seconds,
    median: percentile(all, 0.5) * 1e3,
    p99: percentile(all, 0.99) * 1e3,
  };
}

function lines(child: ChildProcess): AsyncIterator<string> {
  if (child.stdout === null) throw new Error("the load's program has no output");
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}

function parse(line: string): Histogram {
  const counts = new Float64Array(binCount);
  for (const pair of line.split(" ")) {
    const [bin = "", count = ""] = pair.split(":");
    counts[Number(bin)] = Number(count);
  }
  return counts;
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
