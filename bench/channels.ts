import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { quietScope } from "../src/base/scope.ts";
import { createChannelObserver } from "../src/channels/observer.ts";
import type { ChannelObserver } from "../src/channels/types.ts";
import { createNftCounters } from "../src/network/counters/nft-counters.ts";
import { HandMadePod } from "../test/fixtures/hand-made-pod.ts";
import { countInCgroup, ownCgroup, removeCounters, usedSeconds } from "./measure/cpu.ts";
import { ratios, summarize } from "./measure/statistics.ts";
import { surroundings } from "./surroundings.ts";

// `make bench-channels`: see README.md in this folder.

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, rounds: { type: "string" } },
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 15));
const counts = options.quick ? [1, 10] : [1, 10, 50];
const watchSeconds = options.quick ? 8 : 20;
const loadSeconds = 1.5;

const scope = quietScope();
const counters = await createNftCounters(scope);
const pods: HandMadePod[] = [];
const lines: string[] = [];
const results: Record<string, unknown> = {};

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(text: string): void {
  lines.push(text);
  say(text);
}

function observe(watched: readonly HandMadePod[]): ChannelObserver {
  return createChannelObserver({
    pods: { runningPods: () => watched.map((pod) => pod.observed()) },
    counters,
  });
}

/** A pod of three containers that talk by TCP, Unix socket, FIFO and shared memory. */
async function talkingPod(): Promise<HandMadePod> {
  const pod = new HandMadePod(`pod${pods.length}`);
  pods.push(pod);
  await pod.ready();
  const names = ["a", "b", "c"];
  const counted = names.map((name) => ({ name, cgroup: `${pod.cgroup.slice(1)}/${name}` }));
  await counters.install(pod.netns, counted, scope);
  const words = (...programs: string[]) => programs.join(" -- ").split(" ");
  await pod.run("a", { talk: words("tcp-server 127.0.0.1 8080", "unix-server stream VOLUME/s.sock") });
  await pod.run("b", { talk: words("tcp-hold 127.0.0.1 8080 2", "fifo-read VOLUME/f") });
  await pod.run("c", {
    talk: words(
      "unix-client stream VOLUME/s.sock",
      "posix-shm /x 4096 rw",
      "after VOLUME/f fifo-hold VOLUME/f w",
    ),
  });
  return pod;
}

/** Latency of a look at all pods, and the CPU of the observer with all its helpers while somebody looks on. */
async function costOfLooks(count: number): Promise<void> {
  while (pods.length < count) await talkingPod();
  const observer = observe(pods.slice(0, count));
  const home = ownCgroup();
  const cgroup = countInCgroup("peapod-bench-observer", process.pid);
  try {
    for (const [what, deep] of [
      ["watched", false],
      ["watched deep", true],
    ] as const) {
      await observer.list(scope, { deep });
      let channels = 0;
      const times: number[] = [];
      const cpu = usedSeconds(cgroup);
      const begun = performance.now();
      while (performance.now() - begun < watchSeconds * 1000) {
        await scope.clock.sleep(1_000, scope.signal);
        const start = performance.now();
        channels = (await observer.list(scope, { deep })).channels.length;
        times.push(performance.now() - start);
      }
      const share = (usedSeconds(cgroup) - cpu) / ((performance.now() - begun) / 1000);
      // An answer that comes at once is from a look before.
      const { median, max } = summarize(times.filter((time) => time > 5));
      results[`${count} pods, ${what}`] = { channels, share, times };
      print(
        `${`${count} pods x 3, ${what}`.padEnd(28)} ${String(channels).padStart(5)} channels   look ${median.toFixed(1).padStart(7)} ms (max ${max.toFixed(0)})   CPU ${(100 * share).toFixed(2).padStart(6)} % of one core`,
      );
    }
  } finally {
    await observer.stop();
    countInCgroup(home, process.pid);
  }
}

interface Load {
  readonly throughput: number;
  /** Microseconds of a round trip: half of them, 99 of 100, and of the client's CPU time. */
  readonly median: number;
  readonly p99: number;
  readonly cpu: number;
}

async function loadPod(counted: boolean): Promise<HandMadePod> {
  const pod = new HandMadePod("load");
  pods.push(pod);
  await pod.ready();
  const names = ["server", "client"];
  if (counted) {
    await counters.install(
      pod.netns,
      names.map((name) => ({ name, cgroup: `${pod.cgroup.slice(1)}/${name}` })),
      scope,
    );
  }
  await pod.run("server", { talk: "load-server tcp 8080 -- load-server unix VOLUME/load.sock".split(" ") });
  await pod.run("client", {
    talk: `load-client tcp 8080 VOLUME ${loadSeconds} -- load-client unix VOLUME/load.sock VOLUME ${loadSeconds}`.split(
      " ",
    ),
  });
  return pod;
}

async function load(pod: HandMadePod, kind: "tcp" | "unix"): Promise<Load> {
  const result = join(pod.volume, `${kind}.result`);
  writeFileSync(join(pod.volume, `${kind}.run`), "");
  while (!existsSync(result)) await scope.clock.sleep(20, scope.signal);
  const [throughput = 0, median = 0, p99 = 0, cpu = 0] = readFileSync(result, "utf8").split(" ").map(Number);
  rmSync(result);
  return { throughput, median: median / 1e3, p99: p99 / 1e3, cpu: cpu / 1e3 };
}

type Side = "off" | "off again" | "on" | "deep";

/** Round trips inside a pod while nobody observes, while somebody looks, and looks deep: in turns, in one run. */
async function costToTheLoad(): Promise<void> {
  const plain = await loadPod(false);
  const observed = await loadPod(true);
  const series = new Map<string, Load[]>();
  const sides: Record<Side, HandMadePod> = { off: plain, "off again": plain, on: observed, deep: observed };
  const order = Object.keys(sides) as Side[];
  for (let round = -1; round < rounds; round += 1) {
    say(round < 0 ? "Warming up" : `Round ${round + 1} of ${rounds}`);
    for (let turn = 0; turn < order.length; turn += 1) {
      const side = order[(turn + Math.max(round, 0)) % order.length] ?? "off";
      const observer = side.startsWith("off") ? undefined : observe([observed]);
      observer?.start(scope);
      await observer?.list(scope, { deep: side === "deep" });
      const looking = new AbortController();
      const looks = lookOn(observer, side === "deep", looking.signal);
      for (const kind of ["tcp", "unix"] as const) {
        const measured = await load(sides[side], kind);
        if (round < 0) continue;
        const key = `${kind} ${side}`;
        series.set(key, [...(series.get(key) ?? []), measured]);
      }
      looking.abort();
      await looks;
      await observer?.stop();
    }
  }
  for (const kind of ["tcp", "unix"] as const) {
    const base = series.get(`${kind} off`) ?? [];
    for (const side of order) {
      const values = series.get(`${kind} ${side}`) ?? [];
      results[`${kind}, observer ${side}`] = values;
      const of = (measure: keyof Load) => summarize(values.map((each) => each[measure])).median;
      const beside = (measure: keyof Load) => {
        const all = ratios(
          values.map((each) => each[measure]),
          base.map((each) => each[measure]),
        );
        const { median, min, max } = summarize(all);
        return side === "off" ? "" : ` x ${median.toFixed(3)} (${min.toFixed(2)}..${max.toFixed(2)})`;
      };
      print(
        `${`${kind} round trips, observer ${side}`.padEnd(36)} ${of("throughput").toFixed(0).padStart(7)}/s${beside("throughput")}   median ${of("median").toFixed(1)} us${beside("median")}   p99 ${of("p99").toFixed(1)} us${beside("p99")}   CPU ${of("cpu").toFixed(1)} us${beside("cpu")}`,
      );
    }
  }
}

async function lookOn(
  observer: ChannelObserver | undefined,
  deep: boolean,
  signal: AbortSignal,
): Promise<void> {
  while (observer !== undefined && !signal.aborted) {
    await observer.list(scope, { deep });
    await scope.clock.sleep(1_000, signal).catch(() => {});
  }
}

if (process.getuid?.() !== 0) {
  console.error("make bench-channels makes pods and so needs root: sudo make bench-channels");
  process.exit(1);
}
try {
  await costToTheLoad();
  for (const pod of pods.splice(0)) await pod.remove();
  for (const count of counts) await costOfLooks(count);
  console.log(lines.join("\n"));
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "channels.json");
  writeFileSync(file, `${JSON.stringify({ surroundings: await surroundings(), results }, undefined, 1)}\n`);
  console.log(`\nAll values: ${file}`);
} finally {
  for (const pod of pods) await pod.remove().catch((error: Error) => say(error.message));
  removeCounters();
}
process.exit();
