import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { VolumeWatch } from "../src/channels/volume-watch.ts";
import type { HandMadePod } from "../test/fixtures/hand-made-pod.ts";
import { type Estimate, estimate, summarize } from "./measure/statistics.ts";

const windowMilliseconds = 200;
/** The observer hears again of known files each five seconds, and ignores them again a quarter of a second later. */
const toldShare = 0.05;

/** What it costs a container to have its mounts of shared volumes watched. */
export interface FileCost {
  /** Of one open, read and close of a file of 100 bytes, with nothing on. */
  readonly microseconds: number;
  /** How many times as many go through, beside nothing on: nothing on once more, each close told, known files ignored. */
  readonly noise: Estimate;
  readonly told: Estimate;
  readonly ignored: Estimate;
  /** As it is with an observer: mostly ignored. */
  readonly watched: Estimate;
}

/**
 * A container opens, reads and closes one of `files` files of a shared volume after the other. In each block all states
 * have one short window, in random order.
 */
export async function costToFiles(pod: HandMadePod, files: number, blocks: number): Promise<FileCost> {
  const container = `reader${files}`;
  await pod.run(container, { script: "exec sleep infinity" });
  const { containers } = pod.observed();
  const target = containers.find(({ name }) => name === container)?.pid;
  const program = join(import.meta.dirname, "measure", "reader.ts");
  const inside = [process.execPath, program, pod.mountPath(container), `${files}`];
  const reader = spawn("nsenter", ["--mount", `--target=${target}`, ...inside], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers = createInterface({ input: reader.stdout })[Symbol.asyncIterator]();
  const run = async () => {
    reader.stdin.write(`${windowMilliseconds}\n`);
    return Number((await answers.next()).value);
  };
  const watch = async (state: "told" | "ignored") => {
    const volumeWatch = new VolumeWatch(() => [pod.observed()]);
    await volumeWatch.start();
    volumeWatch.look(Date.now());
    if (state === "ignored") {
      await run();
      volumeWatch.settle(Date.now());
    }
    try {
      return await run();
    } finally {
      volumeWatch.close();
    }
  };
  try {
    await run();
    const rounds: Record<"off" | "again" | "told" | "ignored", number>[] = [];
    for (let block = 0; block < blocks; block += 1) {
      const round = { off: 0, again: 0, told: 0, ignored: 0 };
      const states = (["off", "again", "told", "ignored"] as const).toSorted(() => Math.random() - 0.5);
      for (const state of states) {
        round[state] = await (state === "told" || state === "ignored" ? watch(state) : run());
      }
      rounds.push(round);
    }
    const median = (values: readonly number[]) => summarize(values).median;
    const beside = (count: (round: (typeof rounds)[number]) => number) =>
      estimate(
        rounds.map((round) => count(round) / round.off),
        median,
      );
    return {
      microseconds: (windowMilliseconds * 1e3) / median(rounds.map(({ off }) => off)),
      noise: beside(({ again }) => again),
      told: beside(({ told }) => told),
      ignored: beside(({ ignored }) => ignored),
      watched: beside(({ told, ignored }) => toldShare * told + (1 - toldShare) * ignored),
    };
  } finally {
    reader.kill("SIGKILL");
  }
}
