import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Channel } from "../../../src/channels/types.ts";
import { slower } from "../../helpers/patience.ts";
import { type TestNode, testNode } from "../../helpers/peapod.ts";
import { cases, deepCases, type TruthCase } from "./cases.ts";
import { channelsByPod, edges, Score, startPods, truthPod } from "./truth-pods.ts";

/** How long a channel may take to be seen: several sampling periods of a machine that starts fifty programs. */
const limitMilliseconds = 40_000;
/** How often the truth must be seen again, with nothing beside it. */
const furtherLooks = 4;

let node: TestNode;
const report: Record<string, unknown> = {};

beforeAll(async () => {
  node = await testNode();
});
afterAll(async () => {
  // tools/channels-truth.ts makes docs/reference/channels-truth.md of it.
  const path = process.env.PEAPOD_TRUTH_REPORT;
  if (path !== undefined) writeFileSync(path, JSON.stringify(report));
  await node?.close();
});

const truthOf = ({ edges }: TruthCase) => [...edges].sort();

/** Looks until every case's edges are exactly the true ones, then looks on. Returns the last look. */
async function seeTruth(
  truths: readonly TruthCase[],
  look: () => Promise<Map<string, Channel[]>>,
  score: Score,
): Promise<Map<string, Channel[]>> {
  const wrong = (channels: Map<string, Channel[]>) =>
    truths.filter((truth) => edges(channels.get(truth.name)).join() !== truthOf(truth).join());
  const end = Date.now() + limitMilliseconds;
  const lookAndNote = async () => {
    const channels = await look();
    for (const truth of truths) score.note(truth.name, truthOf(truth), edges(channels.get(truth.name)));
    return channels;
  };
  let channels = await lookAndNote();
  while (wrong(channels).length > 0 && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    channels = await lookAndNote();
  }
  const compare = () => {
    const seen = truths.map((truth) => [truth.name, edges(channels.get(truth.name))]);
    expect(Object.fromEntries(seen)).toEqual(
      Object.fromEntries(truths.map((truth) => [truth.name, truthOf(truth)])),
    );
  };
  for (const truth of truths) score.add(truthOf(truth), edges(channels.get(truth.name)));
  compare();
  for (let i = 0; i < furtherLooks; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 600));
    channels = await lookAndNote();
    compare();
  }
  return channels;
}

function connectionsOf(channels: readonly Channel[] | undefined): number | undefined {
  return channels?.find(({ status }) => status.endpoints.length === 2)?.status.connections?.total;
}

describe("pods of known truth", () => {
  test("the baseline: every edge, no other, direction and container right", async () => {
    await startPods(node, cases.map(truthPod));
    const score = new Score();
    report.baseline = score;
    report.passing = score.passing;
    await seeTruth(cases, () => channelsByPod(node), score);
    const short = cases.filter(({ connections }) => connections !== undefined);
    let channels = new Map<string, Channel[]>();
    const counted = async () => {
      channels = await channelsByPod(node);
      return short.map(({ name }) => connectionsOf(channels.get(name)));
    };
    await expect
      .poll(counted, { timeout: 20_000, interval: 500 })
      .toEqual(short.map(({ connections }) => connections));
    report.shortConnections = short.map(({ name, connections }) => ({
      name,
      made: connections,
      counted: connectionsOf(channels.get(name)),
    }));
    await node.ok(["down", "--all", "--grace-period=0"]);
  });

  test("the deep look: short Unix connections, datagrams, posts, signals", async () => {
    await startPods(node, deepCases.map(truthPod));
    await channelsByPod(node, true);
    // At once: the deep look ends, and its counts with it, when nobody asks for a while.
    await Promise.all(
      deepCases.map(({ name }) => node.ok(["exec", name, "-c", "b", "--", "touch", "/of-b/go"])),
    );
    const score = new Score();
    report.deep = score;
    await seeTruth(deepCases, () => channelsByPod(node, true), score);
    let counted: number | undefined;
    const counts = async () => {
      const channels = await channelsByPod(node, true);
      counted = connectionsOf(channels.get("deep-unix-short"));
      const signal = channels.get("deep-signal")?.find(({ spec }) => spec.type === "Signal");
      return [counted, signal?.status.traffic?.clientToServer];
    };
    await expect
      .poll(counts, { timeout: 20_000 * slower, interval: 500 })
      .toEqual([1000, { operations: 30 }]);
    report.deepConnections = { made: 1000, counted };
    await node.ok(["down", "--all", "--grace-period=0"]);
  });

  test("SO_REUSEPORT: each server's own connections; across pods: both sides", async () => {
    const shared: TruthCase = {
      name: "reuse-port",
      containers: {
        a: "tcp-server-shared 8090 2",
        b: "tcp-server-shared 8090 2",
        c: "after V/go tcp-hold 127.0.0.1 8090 30",
      },
      edges: ["c -> a TCP 127.0.0.1:8090", "c -> b TCP 127.0.0.1:8090"],
    };
    const served: TruthCase = { name: "served", containers: { a: "tcp-server 0.0.0.0 8080" }, edges: [] };
    await startPods(node, [shared, served].map(truthPod));
    // A server that does not listen yet gets none of the connections. 0A: TCP_LISTEN, 1F9A: port 8090 (proc(5)).
    const listeners = ["exec", "reuse-port", "-c", "c", "--", "grep", "-c", ":1F9A .* 0A ", "/proc/net/tcp"];
    await expect.poll(async () => (await node.peapod(listeners)).stdout.trim()).toBe("2");
    await node.ok(["exec", "reuse-port", "-c", "c", "--", "touch", "/of-c/go"]);
    const pod = JSON.parse(await node.ok(["get", "pod", "served", "-o", "json"])) as {
      status: { podIP: string };
    };
    const { podIP } = pod.status;
    const caller: TruthCase = {
      name: "caller",
      containers: { b: `tcp-hold ${podIP} 8080 2` },
      edges: [`b -> outside TCP ${podIP}:8080`],
    };
    await startPods(node, [truthPod(caller)]);
    const score = new Score();
    report.others = score;
    const truths = [shared, caller, { ...served, edges: [`outside -> a TCP ${podIP}:8080`] }];
    const channels = await seeTruth(truths, () => channelsByPod(node), score);
    const open = (channels.get("reuse-port") ?? []).map(({ status }) => status.connections?.open ?? 0);
    expect(open.reduce((sum, each) => sum + each, 0)).toBe(30);
    const scopeOf = (name: string) =>
      channels.get(name)?.find(({ status }) => status.endpoints.length === 2)?.spec.scope;
    expect(["caller", "served"].map(scopeOf)).toEqual(["Egress", "Ingress"]);
    await node.ok(["down", "--all", "--grace-period=0"]);
  });
});
