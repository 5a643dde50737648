import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { quickSpawn } from "../src/host/quick-spawn.ts";
import { summarize } from "./measure/statistics.ts";

/**
 * How long starting a process keeps the event loop, by Node.js' fork and by posix_spawn, side by side in one run and
 * with more and more memory resident: `node bench/spawn.ts [--rounds 30]`.
 */
const { values } = parseArgs({ options: { rounds: { type: "string", default: "30" } } });
const rounds = Number(values.rounds);
const quick = await quickSpawn();
if (quick === undefined) throw new Error("posix_spawn cannot be called here: koffi is missing");

const ballast: Buffer[] = [];
for (const megabytes of [0, 100, 400]) {
  ballast.push(Buffer.alloc(megabytes * 1024 * 1024, 1));
  const forked: number[] = [];
  const spawned: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    let start = performance.now();
    const child = spawn("true", [], { stdio: "ignore" });
    forked.push(performance.now() - start);
    await once(child, "exit");

    start = performance.now();
    const descriptors = ["null", "null", "null"] as const;
    const other = quick.start("true", [], { descriptors, env: process.env });
    spawned.push(performance.now() - start);
    await other.exited;
  }
  const resident = Math.round(process.memoryUsage.rss() / 1e6);
  const [fork, posix] = [summarize(forked).median, summarize(spawned).median];
  console.log(
    `${resident} MB resident: fork ${fork.toFixed(2)} ms, posix_spawn ${posix.toFixed(2)} ms, x ${(fork / posix).toFixed(1)}`,
  );
}
