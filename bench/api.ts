import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Load } from "./api/load.ts";
import { type ApiSide, floorSide, peapodSide } from "./api/sides.ts";
import { proportionalSetSize } from "./measure/memory.ts";
import { summarize } from "./measure/statistics.ts";
import { formatTable } from "./report.ts";
import { surroundings } from "./surroundings.ts";
import type { Series } from "./types.ts";

// `make bench-api`: see README.md in this folder.

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    /** Also how many seconds the idle daemon is looked at. */
    idle: { type: "string" },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 2 : 5));
const idleSeconds = Number(options.idle ?? (options.quick ? 10 : 30));
const stored = [1, 100, 1_000];
const connections = 8;
const ticksPerSecond = 100;

const series: Series[] = [];

function add(what: string, side: string, unit: Series["unit"], value: number): void {
  const one = series.find((each) => each.what === what && each.side === side);
  if (one === undefined) series.push({ what, side, unit, values: [value] });
  else one.values.push(value);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Milliseconds of each of `count` requests, one after the other. */
async function latencies(count: number, task: (index: number) => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = performance.now();
    await task(index);
    times.push(performance.now() - start);
  }
  return times;
}

/** Requests per second, as many at a time as there are connections. */
async function throughput(count: number, task: (index: number) => Promise<void>): Promise<number> {
  let next = 0;
  const worker = async () => {
    while (next < count) await task(next++);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, worker));
  return count / ((performance.now() - start) / 1_000);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function measure(side: ApiSide, load: Load, count: number, keep: boolean): Promise<void> {
  const quantity = 200;
  const record = async (what: string, size: number, task: (index: number) => Promise<void>) => {
    const times = await latencies(size, task);
    if (!keep) return;
    add(`${what}, ${count} stored: p50`, side.name, "ms", percentile(times, 0.5));
    add(`${what}, ${count} stored: p99`, side.name, "ms", percentile(times, 0.99));
  };
  const rate = async (what: string, size: number, task: (index: number) => Promise<void>) => {
    const perSecond = await throughput(size, task);
    if (keep) add(`${what}, ${count} stored: ${connections} at a time`, side.name, "/s", perSecond);
  };
  await record("create", quantity, (index) => load.create(`new-${index}`));
  await record("delete", quantity, (index) => load.delete(`new-${index}`));
  await rate("create", quantity, (index) => load.create(`more-${index}`));
  await rate("delete", quantity, (index) => load.delete(`more-${index}`));
  await record("get", 200, () => load.get("stored-0"));
  await rate("get", 500, () => load.get("stored-0"));
  const lists = count >= 1_000 ? 20 : 100;
  await record("list", lists, () => load.list());
  await rate("list", lists, () => load.list());

  // From before a request is sent until a watcher has the pod.
  const waiting = new Map<string, () => void>();
  await load.list();
  const watch = await load.watch((name) => waiting.get(name)?.());
  await record("create until seen by a watch", 200, async (index) => {
    const seen = new Promise<void>((resolve) => waiting.set(`seen-${index}`, resolve));
    await Promise.all([load.create(`seen-${index}`), seen]);
  });
  watch.stop();
  for (let index = 0; index < 200; index += 1) await load.delete(`seen-${index}`);
}

/** CPU seconds that a process has used so far. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** What the servers need while nobody asks them anything. */
async function idle(sides: readonly ApiSide[], when: string): Promise<void> {
  await sleep(2_000);
  const before = sides.map(({ pid }) => cpuSeconds(pid));
  await sleep(idleSeconds * 1_000);
  for (const [index, { name, pid }] of sides.entries()) {
    const share = (cpuSeconds(pid) - (before[index] ?? 0)) / idleSeconds;
    add(`idle, ${when}: CPU of one core`, name, "%", 100 * share);
    add(`idle, ${when}: resident`, name, "MB", residentBytes(pid) / 1e6);
    add(`idle, ${when}: proportional set size`, name, "MB", proportionalSetSize([pid]) / 1e6);
  }
}

if (process.getuid?.() !== 0) {
  console.error("make bench-api starts a node and so needs root: sudo make bench-api");
  process.exit(1);
}
const workDir = mkdtempSync(join(tmpdir(), "peapod-bench-api-"));
const sides: ApiSide[] = [];
try {
  sides.push(await peapodSide(workDir), await floorSide(workDir));
  const loads = sides.map(({ socketPath }) => new Load(socketPath));
  say(`Idle, for ${idleSeconds} s`);
  await idle(sides, "just started");
  let there = 0;
  for (const count of stored) {
    for (; there < count; there += 1) for (const load of loads) await load.create(`stored-${there}`);
    for (let round = -1; round < rounds; round += 1) {
      say(`${count} pods stored: ${round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`}`);
      const order = round % 2 === 0 ? sides : sides.toReversed();
      for (const side of order) {
        await measure(side, loads[sides.indexOf(side)] as Load, count, round >= 0);
      }
    }
  }
  say(`Idle, for ${idleSeconds} s`);
  await idle(sides, "1000 stored, after the load");
  for (const load of loads) load.close();
  console.log(formatTable(series));
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "api.json");
  const results = series.map((one) => ({ ...one, ...summarize(one.values) }));
  writeFileSync(file, `${JSON.stringify({ surroundings: await surroundings(), results }, undefined, 1)}\n`);
  console.log(`\nAll values: ${file}`);
} finally {
  for (const side of sides) await side.close();
  rmSync(workDir, { recursive: true, force: true });
}
process.exit();
