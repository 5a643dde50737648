import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchPod } from "../types.ts";

const patienceMilliseconds = 60_000;

/** Milliseconds since the epoch with microseconds, on the clock that `date` reads in the containers. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** A pod with so many containers and an empty folder for their stamps. */
export function benchPod(workDir: string, name: string, size: number): BenchPod {
  const stampsDir = join(workDir, "stamps", name);
  mkdirSync(stampsDir, { recursive: true });
  return { name, containers: Array.from({ length: size }, (_, index) => `c${index}`), stampsDir };
}

/** Waits until every container has written its stamp; the time (as {@link now}) of the last of them. */
export async function allRunning(pod: BenchPod): Promise<number> {
  const deadline = now() + patienceMilliseconds;
  for (;;) {
    const stamps = pod.containers.map((container) => stampOf(join(pod.stampsDir, container)));
    if (stamps.every((stamp) => stamp !== undefined)) return Math.max(...stamps);
    if (now() > deadline) throw new Error(`pod ${pod.name}: not all containers ran within a minute`);
    await sleep(2);
  }
}

function stampOf(file: string): number | undefined {
  try {
    const text = readFileSync(file, "utf8");
    return text.endsWith("\n") ? Number(text) / 1e6 : undefined;
  } catch {
    return undefined;
  }
}
