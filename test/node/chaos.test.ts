import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { layoutFor } from "../../src/host/layout.ts";
import { leftovers } from "../helpers/leftovers.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";
import { Api } from "./chaos/api.ts";
import { unsettled, untouchedPods } from "./chaos/invariants.ts";
import { Operations, surroundings, untouched } from "./chaos/operations.ts";
import { Random } from "./chaos/random.ts";
import { runningTwice } from "./chaos/strays.ts";

// PEAPOD_CHAOS_KILLS and PEAPOD_CHAOS_SEED make longer runs and others, PEAPOD_CHAOS_KEEP names a folder for the daemons' log,
// PEAPOD_CHAOS_SETTLE is how long all may take to settle, in milliseconds.
const kills = Number(process.env.PEAPOD_CHAOS_KILLS ?? 4);
const seed = Number(process.env.PEAPOD_CHAOS_SEED ?? 5);
const killsPerRound = 4;
const settleMilliseconds = Number(process.env.PEAPOD_CHAOS_SETTLE ?? 180_000);

let node: TestNode;
beforeAll(async () => {
  node = await testNode();
});
afterAll(async () => {
  keep(node);
  await node?.close();
});

/** For whoever looks into a failure: the daemons' log. */
function keep({ stateDir }: TestNode): void {
  const folder = process.env.PEAPOD_CHAOS_KEEP;
  if (folder === undefined) return;
  cpSync(join(stateDir, "daemon.log"), join(folder, `${seed}.log`));
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function daemonPID(): number | undefined {
  try {
    const pid = node.daemonPID();
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}

function killDaemon(): void {
  const pid = daemonPID();
  if (pid !== undefined) process.kill(pid, "SIGKILL");
}

/** Kills the daemon while it works, while it stops, or while the next one starts; there is one again when it resolves. */
async function killAndStart(random: Random): Promise<void> {
  if (random.happens(0.2)) {
    const stop = node.peapod(["node", "stop"]);
    await sleep(100 + random.below(900));
    killDaemon();
    await stop;
  }
  killDaemon();
  while (random.happens(0.35)) {
    const start = node.peapod(["node", "start"]);
    await sleep(200 + random.below(1_200));
    killDaemon();
    await start;
  }
  await eventually(
    async () => ((await node.peapod(["node", "start"])).exitCode === 0 ? true : undefined),
    "the node's start",
  );
}

test(
  `nothing is lost and nothing is left over by ${kills} kills of the daemon (seed ${seed})`,
  async () => {
    const layout = layoutFor(node.stateDir, node.runDir);
    const random = new Random(seed);
    const api = new Api(node.runDir);
    const operations = new Operations(api, random);
    const done: string[] = [];
    for (const [resource, object] of surroundings) {
      expect((await api.create(resource, object)).status, JSON.stringify(object)).toBe(201);
    }
    const items = { apiVersion: "v1", kind: "List", items: untouched };
    await node.ok(["up", "-d", "-f", "-"], { input: JSON.stringify(items) });
    const before = await untouchedPods(api);
    expect(before).toHaveLength(4);

    let killed = 0;
    while (killed < kills) {
      for (let each = 0; each < killsPerRound && killed < kills; each += 1) {
        let working = true;
        const work = (async () => {
          while (working) {
            if (!existsSync(join(node.runDir, "api.sock"))) await sleep(20);
            done.push(await operations.next());
            await sleep(random.below(150));
          }
        })();
        await sleep(random.below(2_500));
        await killAndStart(random);
        killed += 1;
        done.push(`killed ${killed}`);
        working = false;
        await work;
        expect(runningTwice(layout), done.join("\n")).toEqual([]);
      }
      let problems: string[] = [];
      await eventually(
        async () => {
          problems = await unsettled(api, layout).catch((error) => [String(error)]);
          if (problems.length > 0) await sleep(400);
          return problems.length === 0 ? true : undefined;
        },
        "all settled",
        settleMilliseconds,
      ).catch((error) => {
        throw new Error(`${error}\n${problems.join("\n")}\nafter:\n${done.join("\n")}`);
      });
      expect(await untouchedPods(api), done.join("\n")).toEqual(before);
      for (const name of ["still", "still-users", "still-shared"]) {
        const log = await node.ok(["logs", name, "-c", "main"]);
        const lines = log.trimEnd().split("\n");
        expect(lines.find((line, index) => line !== `line ${index}`)).toBeUndefined();
      }
    }

    for (const name of (await api.list("deployments")).map(({ metadata }) => metadata.name)) {
      await api.remove("deployments", name);
    }
    await node.ok(["down", "--all"]);
    await node.ok(["node", "stop"]);
    expect(await leftovers(node, layout.instance)).toEqual([]);
    for (const folder of ["containers", "pods", "rootfs", "logs"].map((name) => join(node.stateDir, name))) {
      expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
    }
  },
  Math.max(300_000, kills * 60_000),
);
