import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cgroupMode } from "../../src/host/cgroup-mode.ts";
import { parseMountInfo } from "../../src/host/mount-info.ts";
import { eventually, runCommand, type TestNode, testNode } from "../helpers/peapod.ts";

// The machine's own mounts stay as they are: all of this happens in a mount namespace in which hugetlb is not mounted.
// The hierarchies are the machine's all the same, and so are the cgroups in them: what must be seen to go is net_cls,
// which nobody uses.
const hugetlb = "/sys/fs/cgroup/hugetlb";
const netCls = "/sys/fs/cgroup/net_cls";
const isHybrid = cgroupMode() === "hybrid" && existsSync(hugetlb);
const pod = (name: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "main", image: "peapod.dev/host", command: ["sleep", "1000"] }],
    },
  });

let leave = () => {};
let through: string[] = [];
beforeAll(async () => {
  if (!isHybrid) return;
  // Folders of its own too: removing one on which another namespace has a mount would undo that.
  const namespace = spawn("unshare", [
    ...["--mount", "--propagation", "private", "sh", "-ec"],
    `own=$(mktemp -d)
    mount -t tmpfs tmpfs $own
    for each in /sys/fs/cgroup/*; do
      mountpoint -q $each && [ $each != ${hugetlb} ] || continue
      mkdir $own/\${each##*/}
      mount --bind $each $own/\${each##*/}
    done
    umount --recursive /sys/fs/cgroup
    mount --move $own /sys/fs/cgroup
    rmdir $own
    echo ready
    exec cat`,
  ]);
  leave = () => namespace.stdin.end();
  await once(createInterface(namespace.stdout), "line");
  through = ["nsenter", `--mount=/proc/${namespace.pid}/ns/mnt`];
});
afterAll(() => leave());

function inside(...command: string[]): ReturnType<typeof runCommand> {
  const [file = "", ...words] = [...through, ...command];
  return runCommand(file, words);
}

/** The sources of what is mounted there. */
async function sources(target: string): Promise<string[]> {
  const { stdout } = await inside("cat", "/proc/self/mountinfo");
  return parseMountInfo(stdout)
    .filter((mount) => mount.target === target)
    .map(({ source }) => source);
}

/** A process that holds net_cls, as a node holds what crun needs. */
async function holder() {
  const [file = "", ...words] = [...through, process.execPath, join(import.meta.dirname, "cgroup-holder.ts")];
  const child = spawn(file, words, { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  await once(createInterface(child.stdout), "line");
  return {
    async release() {
      child.stdin.end();
      await closed;
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

async function run(node: TestNode, name: string): Promise<void> {
  await node.ok(["up", "-d", "-f", "-"], { input: pod(name) });
}

test.skipIf(!isHybrid)("whoever goes last unmounts what the first one mounted", async () => {
  const first = await holder();
  const second = await holder();
  expect(await sources(netCls)).toEqual(["peapod"]);
  await first.release();
  expect(await sources(netCls)).toEqual(["peapod"]);
  await second.release();
  expect(await sources(netCls)).toEqual([]);
});

test.skipIf(!isHybrid)("the folder goes with the hierarchy", async ({ skip }) => {
  // Every container that starts meanwhile gets the machine's hierarchies mounted, and keeps this one until it ends.
  const isMountedElsewhere = () => /^net_cls\t(?!0\t)/m.test(readFileSync("/proc/cgroups", "utf8"));
  const isGone = async () => {
    await (await holder()).release();
    if (isMountedElsewhere()) skip("containers on this machine have net_cls mounted");
    return !(await inside("ls", "/sys/fs/cgroup")).stdout.includes("net_cls") || undefined;
  };
  await eventually(isGone, "an end at which the folder goes");
});

test.skipIf(!isHybrid)("of two that start at once, neither is left without", async () => {
  const [first, second] = await Promise.all([holder(), holder()]);
  await second.release();
  expect(await sources(netCls)).toContain("peapod");
  await first.release();
  expect(await sources(netCls)).toEqual([]);
});

test.skipIf(!isHybrid)("what a killed one mounted is taken over", async () => {
  await (await holder()).kill();
  expect(await sources(netCls)).toEqual(["peapod"]);
  await (await holder()).release();
  expect(await sources(netCls)).toEqual([]);
});

test.skipIf(!isHybrid)("cgroups keep it mounted", async () => {
  const only = await holder();
  await inside("mkdir", join(netCls, "used"));
  await only.release();
  expect(await sources(netCls)).toEqual(["peapod"]);
  await inside("rmdir", join(netCls, "used"));
  await (await holder()).release();
  expect(await sources(netCls)).toEqual([]);
});

test.skipIf(!isHybrid)("a hierarchy that somebody else mounted stays", async () => {
  await inside("sh", "-c", `mkdir -p ${netCls} && mount -t cgroup -o net_cls cgroup ${netCls}`);
  await (await holder()).release();
  expect(await sources(netCls)).toEqual(["cgroup"]);
  await inside("umount", netCls);
});

test.skipIf(!isHybrid)("a node starts pods after the one that mounted hugetlb has stopped", async () => {
  const first = await testNode([], through);
  const second = await testNode([], through);
  try {
    expect(await sources(hugetlb)).toEqual(["peapod"]);
    await first.close();
    expect(await sources(hugetlb)).toEqual(["peapod"]);
    await run(second, "after");
    await second.killDaemon();
    await second.ok(["node", "start"]);
    await run(second, "after-kill");
  } finally {
    await first.close();
    await second.close();
  }
  // Containers of others on this machine, if there are any, keep it as they should.
  const used = readdirSync(hugetlb, { withFileTypes: true }).some((entry) => entry.isDirectory());
  if (!used) expect(await sources(hugetlb)).toEqual([]);
});
