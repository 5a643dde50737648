import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cgroupV1Path } from "../../src/host/cgroups.ts";
import { layoutFor, podCgroup } from "../../src/host/layout.ts";
import type { StoredPod } from "../../src/kube/types.ts";
import { type Cluster, runPod, scriptPod, startCluster } from "../helpers/cluster.ts";
import { eventually } from "../helpers/peapod.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.close());

const claim = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...more },
});
const get = async (path: string) => (await cluster.call("GET", path)).body;
const claims = "/api/v1/namespaces/default/persistentvolumeclaims";
const volumeMounts = [{ name: "v", mountPath: "/v" }];
const claimed = (claimName: string) => ({ volumes: [{ name: "v", persistentVolumeClaim: { claimName } }] });
const gone = (path: string) =>
  eventually(
    async () => ((await cluster.call("GET", path)).status === 404 ? true : undefined),
    `${path} gone`,
  );

describe("claims", () => {
  test("are bound on first use, keep their files over pods and go with their folder", async () => {
    await cluster.create("default", claim("disk"));
    const spec = { ...claimed("disk"), securityContext: { fsGroup: 2000 } };
    await runPod(cluster, "default", scriptPod("writes", "echo kept > /v/file", spec, { volumeMounts }));
    const bound = await get(`${claims}/disk`);
    expect(bound.status).toEqual({
      phase: "Bound",
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
    });
    const volume = `/api/v1/persistentvolumes/${bound.spec.volumeName}`;
    expect(await get(volume)).toMatchObject({
      spec: { persistentVolumeReclaimPolicy: "Delete", claimRef: { name: "disk" } },
      status: { phase: "Bound" },
    });
    await cluster.remove("default", "Pod", "writes");
    await gone("/api/v1/namespaces/default/pods/writes");
    const again = scriptPod("reads", "cat /v/file; stat -c '%g %A' /v", spec, { volumeMounts });
    expect((await runPod(cluster, "default", again)).log).toBe("kept\n2000 drwxrwsrwx\n");

    await cluster.remove("default", "PersistentVolumeClaim", "disk");
    expect((await get(`${claims}/disk`)).metadata.deletionTimestamp).toBeDefined();
    await cluster.remove("default", "Pod", "reads");
    await gone(`${claims}/disk`);
    await gone(volume);
    expect(readdirSync(join(cluster.node.stateDir, "volumes"))).toEqual([]);
  });

  test("take a volume that is there and fits", async () => {
    const folder = join(cluster.node.stateDir, "made-by-hand");
    await runPod(
      cluster,
      "default",
      scriptPod(
        "makes",
        "true",
        { volumes: [{ name: "v", hostPath: { path: folder, type: "DirectoryOrCreate" } }] as never },
        { volumeMounts },
      ),
    );
    await cluster.create("", {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: "by-hand" },
      spec: {
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: "2Gi" },
        storageClassName: "mine",
        hostPath: { path: folder },
      },
    });
    await cluster.create("default", claim("mine", { storageClassName: "mine" }));
    await runPod(
      cluster,
      "default",
      scriptPod("uses", "echo x > /v/here", claimed("mine"), { volumeMounts }),
    );
    expect(existsSync(join(folder, "here"))).toBe(true);
    await cluster.remove("default", "Pod", "uses");
    await cluster.remove("default", "PersistentVolumeClaim", "mine");
    await gone(`${claims}/mine`);
    await eventually(
      async () =>
        (await get("/api/v1/persistentvolumes/by-hand")).status.phase === "Released" ? true : undefined,
      "volume released",
    );
    expect(existsSync(join(folder, "here"))).toBe(true);
  });

  test("of an ephemeral volume come and go with the pod", async () => {
    const template = { spec: claim("").spec };
    const spec = { volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: template } }] as never };
    await runPod(cluster, "default", scriptPod("own", "touch /v/x", spec, { volumeMounts }));
    const { metadata, status } = await get(`${claims}/own-v`);
    expect(metadata.ownerReferences).toMatchObject([{ kind: "Pod", name: "own", controller: true }]);
    expect(status.phase).toBe("Bound");
    await cluster.remove("default", "Pod", "own");
    await gone(`${claims}/own-v`);
  });

  test("that are missing keep the pod waiting until they come", async () => {
    const ended = runPod(
      cluster,
      "default",
      scriptPod("early", "echo ran", claimed("late"), { volumeMounts }),
    );
    const message = 'MountVolume.SetUp failed for volume "v" : persistentvolumeclaim "late" not found';
    await eventually(
      async () => (await cluster.events("default", "early")).find((event) => event.message === message),
      "event about the missing claim",
    );
    await cluster.create("default", claim("late"));
    expect((await ended).log).toBe("ran\n");
  });
});

test("a ConfigMap that changes a thousand times is never seen half changed", async () => {
  const data = (round: number) => ({ a: `${round}`.padStart(2000, "0"), b: `${round}`.padStart(2000, "0") });
  await cluster.create("default", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "swaps" },
    data: data(0),
  });
  // One open folder is one version: both files must be of the same one.
  const script = `
    while [ ! -e /stop/now ]; do
      cd -P /v/..data 2>/dev/null || continue
      a=$(cat a 2>/dev/null) && b=$(cat b 2>/dev/null) || continue
      [ "$a" = "$b" ] || echo "torn: $a $b"
      n=$((n+1))
    done; echo "looked $n times, last $(cat /v/a | sed 's/^0*//')"`;
  const spec = {
    volumes: [
      { name: "v", configMap: { name: "swaps" } },
      { name: "stop", emptyDir: {} },
    ],
  };
  const mounts = [...volumeMounts, { name: "stop", mountPath: "/stop" }];
  const ended = runPod(cluster, "default", scriptPod("reader", script, spec, { volumeMounts: mounts }));
  await cluster.until("default", "reader", ({ status }) => status?.phase === "Running", "running");
  for (let round = 1; round <= 1000; round++) {
    await cluster.patch("default", "ConfigMap", "swaps", { data: data(round) });
  }
  const last =
    "until grep -q '^0*1000$' /v/a && grep -q '^0*1000$' /v/b; do sleep 0.1; done; sleep 0.5; touch /stop/now";
  // The container may end before this does, and takes it along: its own exit code says nothing.
  await cluster.node.peapod(["exec", "reader", "--", "sh", "-c", last]);
  const { log } = await ended;
  expect(log).toMatch(/^looked \d+ times, last 1000\n$/);
});

test("a container that writes more than its ephemeral-storage limit is evicted", async () => {
  const resources = { limits: { "ephemeral-storage": "1Mi" } };
  const script = "head -c 3000000 /dev/zero > /fills; sleep 1000";
  await cluster.create("default", scriptPod("fills", script, {}, { resources }));
  const pod = await cluster.until("default", "fills", ({ status }) => status?.phase === "Failed", "evicted");
  expect(pod.status).toMatchObject({
    reason: "Evicted",
    message: "Pod ephemeral local storage usage exceeds the total limit of containers 1048576. ",
  });
});

test("a pod that is limited as a whole shares its limit out", async () => {
  const resources = { requests: { cpu: "200m", memory: "32Mi" }, limits: { cpu: "1", memory: "64Mi" } };
  const script =
    "cat /v/limit; echo; cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | wc -c; sleep 1000";
  const items = [{ path: "limit", resourceFieldRef: { containerName: "main", resource: "limits.memory" } }];
  const spec = { resources, volumes: [{ name: "v", downwardAPI: { items } }] };
  const pod = await cluster.create<StoredPod>("default", scriptPod("whole", script, spec, { volumeMounts }));
  expect(pod.status?.qosClass).toBe("Burstable");
  await cluster.logged("default", "whole", "67108864");
  const cgroup = podCgroup(layoutFor(cluster.node.stateDir, cluster.node.runDir), pod.metadata.uid);
  const v1 = cgroupV1Path(cgroup, "memory");
  const file =
    v1 === undefined ? join("/sys/fs/cgroup", cgroup, "memory.max") : join(v1, "memory.limit_in_bytes");
  expect(readFileSync(file, "utf8").trim()).toBe("67108864");
});

test("the pod's cgroup has the sums of its containers, each container its own", async () => {
  const resources = { requests: { cpu: "100m", memory: "16Mi" }, limits: { cpu: "500m", memory: "64Mi" } };
  const container = (name: string) => ({
    name,
    image: "peapod.dev/host",
    command: ["sleep", "1000"],
    resources,
  });
  const pod = await cluster.create<StoredPod>("default", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "limited" },
    spec: { terminationGracePeriodSeconds: 1, containers: [container("a"), container("b")] },
  });
  await cluster.until("default", "limited", ({ status }) => status?.phase === "Running", "running");
  const cgroup = podCgroup(layoutFor(cluster.node.stateDir, cluster.node.runDir), pod.metadata.uid);
  const value = (path: string, controller: string, file: string) =>
    readFileSync(join(cgroupV1Path(path, controller) ?? join("/sys/fs/cgroup", path), file), "utf8").trim();
  if (cgroupV1Path(cgroup, "cpu") === undefined) {
    expect(value(cgroup, "cpu", "cpu.max")).toBe("100000 100000");
    expect(value(cgroup, "memory", "memory.max")).toBe(String(128 * 1024 * 1024));
    expect(value(`${cgroup}/a/0`, "cpu", "cpu.max")).toBe("50000 100000");
  } else {
    expect(value(cgroup, "cpu", "cpu.shares")).toBe("204");
    expect(value(cgroup, "cpu", "cpu.cfs_quota_us")).toBe("100000");
    expect(value(cgroup, "memory", "memory.limit_in_bytes")).toBe(String(128 * 1024 * 1024));
    expect(value(`${cgroup}/a/0`, "cpu", "cpu.shares")).toBe("102");
    expect(value(`${cgroup}/a/0`, "cpu", "cpu.cfs_quota_us")).toBe("50000");
    expect(value(`${cgroup}/a/0`, "memory", "memory.limit_in_bytes")).toBe(String(64 * 1024 * 1024));
  }
});

test("nothing is left of a pod with every kind of volume, parts of volumes included", async () => {
  await cluster.create("default", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "all" },
    data: { key: "x" },
  });
  const items = [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }];
  const volumes = [
    { name: "map", configMap: { name: "all" } },
    { name: "down", downwardAPI: { items } },
    { name: "token", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
    { name: "image", image: { reference: "peapod.dev/host" } },
    { name: "own", ephemeral: { volumeClaimTemplate: { spec: claim("").spec } } },
    { name: "memory", emptyDir: { medium: "Memory" } },
  ] as never;
  const parts = [
    { name: "map", mountPath: "/part-a", subPath: "key" },
    { name: "image", mountPath: "/part-b", subPath: "usr/bin" },
    { name: "own", mountPath: "/part-c", subPath: "made" },
    { name: "memory", mountPath: "/part-d", subPath: "made" },
  ];
  const mine = () =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(cluster.node.stateDir));
  const contents = (folder: string) => {
    const path = join(cluster.node.stateDir, folder);
    return existsSync(path) ? readdirSync(path) : [];
  };
  // Claims of earlier tests stay, as claims do.
  const before = contents("volumes");
  const pod = scriptPod("all", "cat /part-a; sleep 1000", { volumes }, { volumeMounts: parts });
  await cluster.create("default", pod);
  await cluster.logged("default", "all", "x");
  expect(mine().length).toBeGreaterThan(8);
  await cluster.node.ok(["down", "--all", "--grace-period=1"]);
  await eventually(() => (mine().length === 0 ? true : undefined), "no mount is left");
  for (const folder of ["pods", "volumes", "rootfs"]) {
    await eventually(
      () => (contents(folder).every((name) => before.includes(name)) ? true : undefined),
      `nothing new in ${folder}`,
    );
  }
});
