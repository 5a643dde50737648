import { cpuSecondsOf } from "./measure/cpu.ts";
import { allRunning, benchPod, now } from "./measure/stamps.ts";
import type { BenchPod, Series, Side } from "./types.ts";

/** Collects values by what was measured and on which side. */
export class Results {
  readonly series: Series[] = [];

  add(what: string, side: string, unit: Series["unit"], value: number): void {
    let found = this.series.find((series) => series.what === what && series.side === side);
    if (found === undefined) {
      found = { what, side, unit, values: [] };
      this.series.push(found);
    }
    found.values.push(value);
  }
}

let podNumber = 0;

function nextPod(workDir: string, size: number): BenchPod {
  podNumber += 1;
  return benchPod(workDir, `bench-${podNumber}`, size);
}

/**
 * One pod of each size on each side, one after the other: started, used, stopped. A round's order starts with
 * another side each time, so that no side always runs after the same neighbour.
 */
export async function podRound(
  workDir: string,
  sides: readonly Side[],
  sizes: readonly number[],
  round: number,
  results: Results,
): Promise<void> {
  for (const size of sizes) {
    for (let turn = 0; turn < sides.length; turn += 1) {
      const side = sides[(round + turn) % sides.length];
      if (side === undefined) continue;
      const label = `${size} container${size === 1 ? "" : "s"}`;
      const pod = nextPod(workDir, size);
      await side.ready?.(pod);
      const begun = now();
      await side.start(pod);
      const returned = now();
      const running = await allRunning(pod);
      results.add(`start, ${label}: until all processes run`, side.name, "ms", running - begun);
      results.add(`start, ${label}: until the command returns`, side.name, "ms", returned - begun);
      if (side.exec !== undefined && size === sizes[0]) {
        const execBegun = now();
        await side.exec(pod);
        results.add("exec of /bin/true", side.name, "ms", now() - execBegun);
      }
      if (side.memory !== undefined && round === 0) {
        results.add(`memory beside 1 pod of ${label}`, side.name, "MB", side.memory() / 1e6);
      }
      results.add(`stop and remove, ${label}`, side.name, "ms", await side.stop(pod));
    }
  }
}

/** Many pods of two containers, `width` commands at a time: wall and CPU seconds of start and stop, and memory. */
export async function manyPods(
  workDir: string,
  side: Side,
  count: number,
  width: number,
  results: Results,
): Promise<void> {
  const label = `${count} pods x 2, ${width === 1 ? "one by one" : `${width} at a time`}`;
  const pods = Array.from({ length: count }, () => nextPod(workDir, 2));
  for (const pod of pods) await side.ready?.(pod);
  const measure = async (what: string, work: () => Promise<void>) => {
    const begun = now();
    const cpu = await cpuSecondsOf(side.cgroups, work);
    results.add(`${label}: ${what}, wall`, side.name, "s", (now() - begun) / 1000);
    results.add(`${label}: ${what}, CPU`, side.name, "s", cpu);
  };
  await measure("start", async () => {
    await forEach(pods, width, (pod) => side.start(pod));
    await Promise.all(pods.map(allRunning));
  });
  if (side.memory !== undefined && width === 1) {
    results.add(`memory per pod beside ${count} pods x 2`, side.name, "MB", side.memory() / 1e6 / count);
  }
  await measure("stop", () => forEach(pods, width, async (pod) => void (await side.stop(pod))));
}

async function forEach<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
