import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ChannelMeasurement } from "../../src/cli/measure/measurement.ts";
import { eventually, type TestNode, testNode } from "../helpers/peapod.ts";

const launcher = join(import.meta.dirname, "../../bin/peapod");
const kinds = ["tcp", "unix", "fifo", "shm", "shm-spin"];

let node: TestNode;
let temporary: string;

beforeAll(async () => {
  node = await testNode();
  temporary = join(dirname(node.stateDir), "tmp");
  mkdirSync(temporary);
});
afterAll(async () => {
  await node?.close();
});

/** `peapod measure` with a folder for temporary files of its own, by which all that it leaves can be found. */
function measure(...args: string[]) {
  const env = {
    ...process.env,
    PEAPOD_STATE_DIR: node.stateDir,
    PEAPOD_RUN_DIR: node.runDir,
    TMPDIR: temporary,
    NO_COLOR: "1",
  };
  return spawn(launcher, ["measure", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

function textOf(stream: NodeJS.ReadableStream): { text: string } {
  const collected = { text: "" };
  stream.on("data", (chunk) => {
    collected.text += chunk;
  });
  return collected;
}

function ended(child: ReturnType<typeof measure>): Promise<number | null> {
  return new Promise((resolve) => child.once("close", (code) => resolve(code)));
}

async function expectNothingLeft(sharedMemory: readonly string[]): Promise<void> {
  const list = JSON.parse(await node.ok(["get", "pods", "-o", "json"])) as { items: unknown[] };
  expect(list.items).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
  expect(sharedMemory.filter((name) => readdirSync("/dev/shm").includes(name))).toEqual([]);
  expect(processesNaming(temporary)).toEqual([]);
}

function processesNaming(text: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return command.includes(text) ? [command] : [];
    } catch {
      return [];
    }
  });
}

test("measures every kind in a pod and on the host, and leaves nothing", async () => {
  const child = measure("--rounds=2", "--duration=5ms", "--sizes=64,256Ki", "-o=json");
  const output = textOf(child.stdout);
  const errors = textOf(child.stderr);
  expect([await ended(child), errors.text]).toEqual([0, expect.any(String)]);

  const measurement = JSON.parse(output.text) as ChannelMeasurement;
  expect(measurement).toMatchObject({ kind: "ChannelMeasurement", rounds: 2, windowMilliseconds: 5 });
  expect(measurement.results.map(({ kind, size }) => `${kind} ${size}`)).toEqual(
    kinds.flatMap((kind) => [`${kind} 64`, `${kind} 262144`]),
  );
  for (const { roundTrip, oneWay } of measurement.results) {
    for (const side of ["pod", "host"] as const) {
      const { p50, p90, p99 } = roundTrip[side];
      expect(p50).toBeGreaterThan(0.1);
      expect([p50, p90, p99]).toEqual([p50, p90, p99].toSorted((a, b) => a - b));
      expect(oneWay[side].bytesPerSecond).toBeGreaterThan(1000);
    }
    expect(roundTrip.ratio.min).toBeLessThanOrEqual(roundTrip.ratio.max);
  }
  await expectNothingLeft([]);
});

test("Ctrl-C in the middle leaves nothing either", async () => {
  const child = measure("--rounds=1000");
  const errors = textOf(child.stderr);
  await eventually(() => errors.text.includes("Measuring") || undefined, "the start of the measurement");
  const sharedMemory = await eventually(() => {
    const folders = readdirSync(temporary);
    const files = folders.filter((name) => readdirSync(join(temporary, name)).length > 0);
    return files.length > 0 ? files : undefined;
  }, "the host's sockets");
  child.kill("SIGINT");
  expect(await ended(child)).toBe(130);
  await expectNothingLeft(sharedMemory);
});

test.each([
  ["--kinds=carrier-pigeon", "none of tcp, unix, fifo, shm, shm-spin"],
  ["--sizes=0", "no message size"],
  ["--rounds=0", "at least 1"],
])("%s is refused before anything starts", async (flag, text) => {
  const child = measure(flag);
  const errors = textOf(child.stderr);
  expect(await ended(child)).toBe(2);
  expect(errors.text).toContain(text);
});
