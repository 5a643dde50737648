import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { layoutFor } from "../../src/host/layout.ts";
import { linkName } from "../../src/network/bridge-network.ts";
import { leftovers, linkNames } from "../helpers/leftovers.ts";
import { testNode } from "../helpers/peapod.ts";

interface Case {
  readonly name: string;
  readonly spec: object;
}

const sleeper = { name: "main", image: "peapod.dev/host", command: ["sleep", "1000"] };

const cases: Case[] = [
  {
    name: "runs",
    spec: {
      shareProcessNamespace: true,
      containers: [
        {
          ...sleeper,
          volumeMounts: [{ name: "memory", mountPath: "/memory" }],
          ports: [{ containerPort: 80, hostPort: 18080 }],
        },
        { ...sleeper, name: "second" },
      ],
      volumes: [{ name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }],
    },
  },
  { name: "host-network", spec: { hostNetwork: true, containers: [sleeper] } },
  {
    name: "image-missing",
    spec: {
      containers: [
        { ...sleeper, image: "127.0.0.1:1/not/there:1" },
        { ...sleeper, name: "second" },
      ],
    },
  },
  { name: "bad-command", spec: { containers: [{ ...sleeper, command: ["/no/such/program"] }] } },
  {
    name: "mount-error",
    spec: {
      containers: [{ ...sleeper, volumeMounts: [{ name: "host", mountPath: "/host" }] }],
      volumes: [{ name: "host", hostPath: { path: "/etc/hostname", type: "Directory" } }],
    },
  },
  { name: "finished", spec: { restartPolicy: "Never", containers: [{ ...sleeper, command: ["true"] }] } },
  { name: "crashing", spec: { containers: [{ ...sleeper, command: ["false"] }] } },
];

test("nothing is left of any pod, however far it came", async () => {
  const node = await testNode();
  const { instance } = layoutFor(node.stateDir, node.runDir);
  try {
    const items = cases.map(({ name, spec }) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: { terminationGracePeriodSeconds: 1, ...spec },
    }));
    await node.peapod(["up", "-d", "--timeout=10s", "-f", "-"], {
      input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    });
    const list = JSON.parse(await node.ok(["get", "pods", "-o", "json"])) as {
      items: { metadata: { uid: string } }[];
    };
    expect(list.items).toHaveLength(cases.length);
    const cables = list.items.map(({ metadata }) => linkName(metadata.uid));
    await node.ok(["down", "--all"]);
    await node.ok(["node", "stop"]);

    expect(await leftovers(node, instance)).toEqual([]);
    expect((await linkNames()).filter((name) => cables.some((cable) => name.startsWith(cable)))).toEqual([]);
    expect(existsSync(`${node.runDir}/daemon.json`)).toBe(false);
    expect(containerFolders(node)).toEqual([]);
  } finally {
    await node.close();
  }
});

test("node stop waits for what a forced deletion leaves", async () => {
  const node = await testNode();
  const { instance } = layoutFor(node.stateDir, node.runDir);
  try {
    const stubborn = ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"];
    const probe = { exec: { command: ["true"] }, periodSeconds: 1 };
    const items = ["one", "two", "three"].map((name) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: {
        containers: [
          { ...sleeper, command: stubborn, readinessProbe: probe },
          { ...sleeper, name: "b" },
        ],
      },
    }));
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    await node.ok(["up", "-d", "-f", "-"], { input });
    await node.ok(["delete", "pods", "--all", "--force", "--grace-period=0"]);
    await node.ok(["node", "stop"]);
    expect(await leftovers(node, instance)).toEqual([]);
    expect(containerFolders(node)).toEqual([]);
  } finally {
    await node.close();
  }
});

/** Folders of containers, empty ones too. */
function containerFolders(node: { stateDir: string; runDir: string }): string[] {
  return [node.stateDir, node.runDir]
    .map((folder) => join(folder, "containers"))
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
}
