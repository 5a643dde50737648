import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { quietScope, type Scope } from "../src/base/scope.ts";
import { createChannelObserver } from "../src/channels/observer.ts";
import type { ChannelObserver } from "../src/channels/types.ts";
import { createCgroupCounters } from "../src/network/counters/cgroup-counters.ts";
import { HandMadePod } from "../test/fixtures/hand-made-pod.ts";
import { costToFiles } from "./file-load.ts";
import { countInCgroup, ownCgroup, removeCounters, usedSeconds } from "./measure/cpu.ts";
import { type Estimate, summarize } from "./measure/statistics.ts";
import {
  type Cost,
  costOf,
  costOfLooking,
  costOfObserving,
  figuresOf,
  ObserverLoad,
} from "./observer-load.ts";
import { surroundings } from "./surroundings.ts";

// `make bench-channels`: see README.md in this folder.

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 30 : 200));
const fileRounds = options.quick ? 15 : 60;
const deepRounds = options.quick ? 3 : 10;
const counts = options.quick ? [1, 10] : [1, 10, 50];
const watchSeconds = options.quick ? 8 : 20;

const scope = quietScope();
const counters = await createCgroupCounters();
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
  for (const name of names) counters.install(`${pod.cgroup}/${name}`);
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

/** Round trips inside a pod with the observer off, on, watched and deep. */
async function costToTheLoad(): Promise<void> {
  const pod = new HandMadePod("load");
  pods.push(pod);
  await pod.ready();
  const load = new ObserverLoad(pod, counters, scope);
  const observer = observe([pod]);
  // A clock that runs ahead, so that no answer is from an earlier look.
  let ahead = 0;
  const impatient: Scope = { ...scope, clock: { ...scope.clock, now: () => Date.now() + ahead } };
  const look = () => {
    ahead += 60_000;
    return observer.list(impatient);
  };
  try {
    await load.start();
    const blocks = await load.blocks(rounds, look, say);
    await observer.stop();
    const deep = await load.deepBlocks(deepRounds, () => observe([pod]), say);
    for (const kind of ["tcp", "unix"] as const) {
      const { perSecond, median, p99 } = figuresOf(blocks, kind, "off");
      print(
        `${kind}, observer off: ${perSecond.toFixed(0)} round trips/s, median ${median.toFixed(1)} us, p99 ${p99.toFixed(1)} us`,
      );
      const costs: Record<string, Cost> = {
        "off again (the noise)": costOf(blocks, kind, "off again", "off"),
        "counters alone": costOf(blocks, kind, "counters", "off"),
        "on, nobody asks": costOfObserving(blocks, kind, "nobody asks"),
        "on, watched": costOfObserving(blocks, kind, "watched"),
        "looks alone, nobody asks": costOfLooking(blocks, kind, "nobody asks"),
        "looks alone, watched": costOfLooking(blocks, kind, "watched"),
        "deep, beside counters": costOf(deep, kind, "deep", "counters"),
      };
      for (const [what, cost] of Object.entries(costs)) {
        results[`${kind}, ${what}`] = cost;
        print(
          `  ${what.padEnd(26)} throughput ${ratioText(cost.throughput)}   median ${ratioText(cost.median)}   p99 ${ratioText(cost.p99)}   p99 of a window ${ratioText(cost.windowP99)}`,
        );
      }
    }
  } finally {
    await observer.stop();
    load.stop();
  }
}

/** Files of a volume that two containers share, opened as often as one can. */
async function costOfFileEvents(): Promise<void> {
  const pod = new HandMadePod("files");
  pods.push(pod);
  await pod.ready();
  await pod.run("other", { script: "exec sleep infinity" });
  for (const files of [1, 100]) {
    const cost = await costToFiles(pod, files, fileRounds);
    results[`open, read, close of ${files} files`] = cost;
    const what = files === 1 ? "one file" : `${files} files in turn`;
    print(`open, read and close of ${what}, not watched: ${cost.microseconds.toFixed(2)} us`);
    for (const state of ["noise", "told", "ignored", "watched"] as const) {
      print(`  ${state.padEnd(26)} throughput ${ratioText(cost[state])}`);
    }
  }
}

function ratioText({ value, low, high }: Estimate): string {
  return `x ${value.toFixed(4)} (${low.toFixed(3)}..${high.toFixed(3)})`;
}

let tidying: Promise<void> | undefined;

/** Removes the pods, once: what it ends fails, and then waits here for the rest. */
function tidyUp(): Promise<void> {
  tidying ??= removePods().finally(removeCounters);
  return tidying;
}

async function removePods(): Promise<void> {
  for (const pod of pods.splice(0)) await pod.remove().catch((error: Error) => say(error.message));
}

if (process.getuid?.() !== 0) {
  console.error("make bench-channels makes pods and so needs root: sudo make bench-channels");
  process.exit(1);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => tidyUp().finally(() => process.exit(1)));
}
try {
  const isWanted = (part: string) => options.only === undefined || options.only === part;
  if (isWanted("load")) await costToTheLoad();
  if (isWanted("files")) await costOfFileEvents();
  for (const pod of pods.splice(0)) await pod.remove();
  if (isWanted("looks")) for (const count of counts) await costOfLooks(count);
  console.log(lines.join("\n"));
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "channels.json");
  writeFileSync(file, `${JSON.stringify({ surroundings: await surroundings(), results }, undefined, 1)}\n`);
  console.log(`\nAll values: ${file}`);
} finally {
  await tidyUp();
}
process.exit();
