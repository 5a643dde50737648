import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processesIn } from "../../src/host/cgroups.ts";
import { layoutFor, podCgroup } from "../../src/host/layout.ts";
import type { StoredPod } from "../../src/kube/types.ts";
import { cgroupLimits } from "../helpers/cgroup-limits.ts";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import { slower } from "../helpers/patience.ts";
import { eventually } from "../helpers/peapod.ts";

const most = 40;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(["--pod-max-pids", String(most)]);
});
afterAll(() => cluster?.close());

test("a pod that makes processes without end gets no more than the node allows, and its neighbours run on", async () => {
  // A shell that can't fork gives up; what it made stays.
  const bomb = "(while :; do sleep 1000 & done) 2>&1; exec sleep 1000";
  const { metadata } = await cluster.create<StoredPod>("default", scriptPod("bomb", bomb));
  await cluster.logged("default", "bomb", /fork/i);
  expect(cgroupLimits(cluster.node, metadata.uid).processes).toBe(most);
  const cgroup = podCgroup(layoutFor(cluster.node.stateDir, cluster.node.runDir), metadata.uid);
  const count = processesIn(cgroup).length;
  expect(count).toBeGreaterThan(most / 2);
  expect(count).toBeLessThanOrEqual(most);
  const neighbour = scriptPod("neighbour", "for i in 1 2 3 4 5; do sleep 0.1 & done; wait; echo ran");
  expect(await runPod(cluster, "default", neighbour)).toEqual({ phase: "Succeeded", log: "ran\n" });
});

test(
  "an image is not asked for again while a volume can't be mounted",
  async () => {
    const pod = scriptPod("waits", "cat /settings/key", {
      volumes: [{ name: "settings", configMap: { name: "later" } }],
      containers: [
        {
          name: "main",
          image: "peapod.dev/host",
          imagePullPolicy: "Always",
          command: ["cat", "/settings/key"],
          volumeMounts: [{ name: "settings", mountPath: "/settings" }],
        },
      ],
    });
    await cluster.create("default", pod);
    const events = async () =>
      (await cluster.events("default", "waits")) as { reason: string; message: string; count?: number }[];
    await eventually(
      () => {
        const log = readFileSync(join(cluster.node.stateDir, "daemon.log"), "utf8").split("\n");
        const attempts = log.filter((line) => line.includes("starting container") && line.includes("waits"));
        return attempts.length >= 3 || undefined;
      },
      "three attempts",
      120_000,
    );
    expect((await events()).filter(({ reason }) => reason === "Pulled")).toMatchObject([{ count: 1 }]);
    await cluster.create("default", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "later" },
      data: { key: "value" },
    });
    await cluster.until("default", "waits", ({ status }) => status?.phase === "Succeeded", "done");
    expect(await cluster.log("default", "waits")).toBe("value");
  },
  180_000 * slower,
);
