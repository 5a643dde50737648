import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeImage } from "./image.ts";
import { removeCounters } from "./measure/cpu.ts";
import { allRunning, benchPod } from "./measure/stamps.ts";
import { formatSummary, formatTable, writeJson } from "./report.ts";
import { manyPods, podRound, Results } from "./rounds.ts";
import { bundleTemplate } from "./sides/bundle.ts";
import { floorSide } from "./sides/floor.ts";
import { peapodNode } from "./sides/peapod.ts";
import { podmanSide } from "./sides/podman.ts";
import { surroundings } from "./surroundings.ts";
import type { Side } from "./types.ts";

// `make bench`: see README.md in this folder.

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    pods: { type: "string" },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 11));
const pods = Number(options.pods ?? (options.quick ? 5 : 50));
const minutes = options.quick ? 1 : 5;
const sizes = [1, 2, 5];

if (process.getuid?.() !== 0) {
  console.error("make bench starts containers on all sides and so needs root: sudo make bench");
  process.exit(1);
}

const deadline = Date.now() + minutes * 60_000;
const workDir = mkdtempSync(join(tmpdir(), "peapod-bench-"));
const open: Side[] = [];
const results = new Results();

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<void> {
  const machine = await surroundings();
  say("Making the image");
  const { rootfs, archive } = await makeImage(workDir);
  const node = await peapodNode(workDir, archive);
  open.push(node.cli);
  const podman = await podmanSide(workDir, archive);
  open.push(podman);

  // Also warms Peapod up, as the first round below warms up the others: a daemon that runs is the premise.
  const first = benchPod(workDir, "bench-template", 1);
  await node.cli.ready?.(first);
  await node.cli.start(first);
  await allRunning(first);
  const template = await bundleTemplate(node.bundleOf(first), join(workDir, "template"));
  await node.cli.stop(first);
  const floor = floorSide(workDir, rootfs, template);
  open.push(floor);

  const sides = [node.cli, node.api, podman, floor];
  await podRound(workDir, sides, [1], 0, new Results());
  // The many pods come last and take about half of the time on a small machine.
  for (let round = 0; round < rounds && Date.now() < deadline - minutes * 30_000; round += 1) {
    say(`Round ${round + 1} of ${rounds}`);
    await podRound(workDir, sides, sizes, round, results);
  }
  for (const width of [1, 4]) {
    for (const side of [node.cli, podman, node.api]) {
      if (Date.now() > deadline) {
        say(`Out of time: ${pods} pods on ${side.name}, ${width} at a time, is left out`);
        continue;
      }
      say(`${pods} pods on ${side.name}, ${width} at a time`);
      await manyPods(workDir, side, pods, width, results);
    }
  }

  console.log(`${formatTable(results.series)}\n\n${formatSummary(results.series)}`);
  const file = writeJson(join(import.meta.dirname, "results"), results.series, {
    ...machine,
    peapod: node.version,
  });
  console.log(`\nAll values: ${file}`);
}

/** Removes all that the run made; what a side could not remove is left as it is, and named. */
async function cleanUp(): Promise<void> {
  const failures: string[] = [];
  for (const side of open.reverse()) {
    await side.close().catch((error: Error) => failures.push(`${side.name}: ${error.message}`));
  }
  if (failures.length === 0) {
    removeCounters();
    rmSync(workDir, { recursive: true, force: true });
    return;
  }
  process.exitCode = 1;
  say(`Not cleaned up, see ${workDir}:\n${failures.join("\n")}`);
}

try {
  await main();
} finally {
  await cleanUp();
}
