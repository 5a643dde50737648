import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import type { Channel } from "../../src/channels/types.ts";
import { eventually, runCommand, testNode } from "../../test/helpers/peapod.ts";
import type { TruthCase } from "../../test/node/truth/cases.ts";
import { channelsByPod, startPods, truthPod } from "../../test/node/truth/truth-pods.ts";

// Runs the truth suite and the transfer of a gigabyte, and writes docs/reference/channels-truth.md from what was
// seen: `node tools/channels-truth/channels-truth.ts`, as root.

interface TypeScore {
  readonly truth: number;
  readonly seen: number;
  readonly missing: number;
  readonly wrong: number;
}

interface Report {
  readonly baseline: Record<string, TypeScore>;
  readonly passing: readonly string[];
  readonly deep: Record<string, TypeScore>;
  readonly others: Record<string, TypeScore>;
  readonly shortConnections: readonly { name: string; made: number; counted: number }[];
  readonly deepConnections: { made: number; counted: number };
}

const root = join(import.meta.dirname, "../..");
const gigabyte = 1_000_000_000;

async function runSuite(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "peapod-truth-"));
  const path = join(folder, "report.json");
  const suite = ["vitest", "run", "--project", "node", "test/node/truth/truth.test.ts"];
  const { exitCode, stdout } = await runCommand("npx", suite, {
    env: { ...process.env, PEAPOD_TRUTH_REPORT: path },
  });
  const report = JSON.parse(readFileSync(path, "utf8")) as Report;
  rmSync(folder, { recursive: true });
  if (exitCode !== 0) process.stderr.write(`${stdout}\nThe suite failed: the report shows what was seen.\n`);
  return report;
}

async function transferGigabyte(): Promise<{ type: string; counted: number | undefined }[]> {
  const truth: TruthCase = {
    name: "bulk",
    containers: {
      a: "tcp-server 127.0.0.1 8080 -- unix-echo stream V/s.sock -- fifo-read V/f",
      b: `after V/go tcp-long 127.0.0.1 8080 ${gigabyte} -- after V/go unix-long V/s.sock ${gigabyte} -- after V/go fifo-write V/f ${gigabyte}`,
    },
    edges: [],
  };
  const node = await testNode();
  try {
    await startPods(node, [truthPod(truth)]);
    await channelsByPod(node, true);
    await node.ok(["exec", "bulk", "-c", "b", "--", "touch", "/of-b/go"]);
    const types = ["TCP", "UnixStream", "FIFO"] as const;
    const counted = (channels: readonly Channel[], type: string) =>
      channels.find(({ spec, status }) => spec.type === type && status.endpoints.length === 2)?.status.traffic
        ?.clientToServer?.bytes;
    let last: (number | undefined)[] = [];
    let steady = 0;
    await eventually(
      async () => {
        const channels = (await channelsByPod(node, true)).get("bulk") ?? [];
        const now = types.map((type) => counted(channels, type));
        steady = now.join() === last.join() && now.every((bytes) => bytes !== undefined) ? steady + 1 : 0;
        last = now;
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        return steady >= 4 ? true : undefined;
      },
      "a gigabyte by TCP, Unix socket and FIFO",
      240_000,
    );
    return types.map((type, index) => ({ type, counted: last[index] }));
  } finally {
    await node.close();
  }
}

function scoreTable(scores: Record<string, TypeScore>): string {
  const share = (part: number, of: number) => (of === 0 ? "–" : `${((100 * part) / of).toFixed(0)} %`);
  const rows = Object.entries(scores).map(
    ([type, { truth, seen, missing, wrong }]) =>
      `| \`${type}\` | ${truth} | ${seen} | ${share(truth - missing, truth)} | ${share(seen - wrong, seen)} |`,
  );
  return ["| type | true edges | shown | recall | precision |", "|---|---|---|---|---|", ...rows].join("\n");
}

const report = await runSuite();
const bulk = await transferGigabyte();
const cpu = /model name\s*: (.*)/.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown CPU";
const text = `# What the observer sees, against the truth

Made by \`node tools/channels-truth/channels-truth.ts\` on ${new Date().toISOString().slice(0, 10)}, Linux ${release()}, ${cpu};
the pods are in [cases.ts](../../test/node/truth/cases.ts): programs whose channels are known by construction, run
as real pods through the API. An edge counts as right only with both containers, direction, type and address.

## Baseline and counters

${scoreTable(report.baseline)}

${report.shortConnections.map(({ name, made, counted }) => `\`${name}\`: ${made} connections of a few milliseconds made one after the other, ${counted} counted.`).join("\n")}

Scored when the picture has settled, and the same four looks later. While the programs started, some look showed
${report.passing.length === 0 ? "nothing that is not true." : `this beside the truth:\n\n${report.passing.map((edge) => `- \`${edge}\``).join("\n")}`}

## With \`--deep\`

${scoreTable(report.deep)}

${report.deepConnections.made} short Unix connections made, ${report.deepConnections.counted} counted.

## A port that two containers serve, and two pods

${scoreTable(report.others)}

## A gigabyte

| type | bytes sent | bytes shown | difference |
|---|---|---|---|
${bulk.map(({ type, counted = 0 }) => `| \`${type}\` | ${gigabyte} | ${counted} | ${((100 * (counted - gigabyte)) / gigabyte).toFixed(4)} % |`).join("\n")}
`;
writeFileSync(join(root, "docs/reference/channels-truth.md"), text);
process.stdout.write(text);
