import { execFileSync } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { cgroupExists, processesIn } from "../../src/host/cgroups.ts";
import { sandboxDir } from "../../src/host/layout.ts";
import { insideNamespaces, pinNamespaces, unpinNamespaces } from "../../src/host/namespaces.ts";
import { createSandboxes } from "../../src/runtime/sandbox/sandboxes.ts";
import type { Sandbox } from "../../src/runtime/types.ts";
import { scope, testLayout, testPod } from "../helpers/pod-drivers.ts";

const node = testLayout();
const { layout } = node;
const sandboxes = createSandboxes({ layout });

afterEach(async () => {
  for (const { podUID } of sandboxes.list()) await sandboxes.remove(podUID, scope);
  expect(node.traces()).toEqual([]);
  expect(node.runFiles()).toEqual([]);
});
afterAll(() => node.remove());

function run(sandbox: Sandbox, command: string): string {
  const { netns, ipcns, utsns } = sandbox;
  const pins = { ...(netns && { net: netns }), ...(ipcns && { ipc: ipcns }), ...(utsns && { uts: utsns }) };
  const [file = "", ...args] = insideNamespaces(pins);
  return execFileSync(file, [...args, "sh", "-ec", command], { encoding: "utf8" }).trim();
}

const own = (kind: string) => readlinkSync(`/proc/self/ns/${kind}`);
const namespacesOf = "readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts";

describe("namespaces", () => {
  test("are the pod's own, the same at every look, with the pod's host name; the daemon stays at home", async () => {
    const home = ["net", "ipc", "uts"].map(own);
    const sandbox = await sandboxes.create(testPod("own"), undefined, scope);
    expect(["net", "ipc", "uts"].map(own)).toEqual(home);
    const inside = run(sandbox, namespacesOf).split("\n");
    expect(new Set([...inside, ...home]).size).toBe(6);
    expect(run(sandbox, namespacesOf).split("\n")).toEqual(inside);
    expect(run(sandbox, "hostname")).toBe("own");
    expect(execFileSync("hostname", { encoding: "utf8" }).trim()).not.toBe("own");
  });

  test("of a pod in the host's network and IPC are the host's", async () => {
    const sandbox = await sandboxes.create(
      testPod("host", { hostNetwork: true, hostIPC: true }),
      undefined,
      scope,
    );
    expect(sandbox).toMatchObject({ netns: undefined, ipcns: undefined, utsns: undefined });
    expect(statSync(sandbox.shm).dev).toBe(statSync("/dev/shm").dev);
  });

  test("end together when a pin fails, and with the copies that other mount namespaces hold", async () => {
    const folder = layout.runDir;
    await expect(
      pinNamespaces({ net: join(folder, "net"), ipc: join(folder, "no/such/folder") }, scope),
    ).rejects.toThrow();
    expect(existsSync(join(folder, "net"))).toBe(false);
    await pinNamespaces({ net: join(folder, "net") }, scope);
    await unpinNamespaces([join(folder, "net"), join(folder, "never-pinned")], scope);
    await unpinNamespaces([join(folder, "net")], scope);
    expect(existsSync(join(folder, "net"))).toBe(false);
  });

  test("are pinned by unshare(1) too, where system calls can't be made", async () => {
    process.env.PEAPOD_NO_SYSTEM_CALLS = "1";
    try {
      const sandbox = await sandboxes.create(testPod("by-tool"), undefined, scope);
      expect(run(sandbox, "hostname")).toBe("by-tool");
      expect(new Set([...run(sandbox, namespacesOf).split("\n"), own("net")]).size).toBe(4);
      await sandboxes.remove(sandbox.podUID, scope);
    } finally {
      delete process.env.PEAPOD_NO_SYSTEM_CALLS;
    }
  });

  test("have tables of sockets of their own, and the host's settings are left alone", async () => {
    const folder = "/proc/sys/net/ipv4";
    const tables = [
      ["tcp_child_ehash_entries", "tcp_ehash_entries"],
      ["udp_child_hash_entries", "udp_hash_entries"],
    ] as const;
    for (const [ofChildren, own] of tables) {
      const setting = join(folder, ofChildren);
      if (!existsSync(setting)) continue;
      const before = readFileSync(setting, "utf8");
      writeFileSync(setting, "4096");
      try {
        const sandbox = await sandboxes.create(testPod(own.replaceAll("_", "-")), undefined, scope);
        expect(readFileSync(setting, "utf8")).toBe("4096\n");
        expect(run(sandbox, `cat ${join(folder, own)}`)).toBe("1024");
      } finally {
        writeFileSync(setting, before);
      }
    }
  });
});

describe("shared memory and files", () => {
  test("/dev/shm is 64 MiB, open to all and sticky", async () => {
    const { shm } = await sandboxes.create(testPod("memory"), undefined, scope);
    const { blocks, bsize } = statfsSync(shm);
    expect(blocks * bsize).toBe(64 * 1024 * 1024);
    expect(statSync(shm).mode & 0o7777).toBe(0o1777);
  });

  test("files are written in place, because containers have them mounted", async () => {
    const sandbox = await sandboxes.create(testPod("files"), undefined, scope);
    sandboxes.writeFiles(sandbox, { hosts: "a long first version\n", hostname: "x\n", resolvConf: "" });
    const { ino } = statSync(sandbox.files.hosts);
    sandboxes.writeFiles(sandbox, { hosts: "short\n", hostname: "x\n", resolvConf: "" });
    expect(statSync(sandbox.files.hosts)).toMatchObject({ ino, mode: 0o100644 });
    expect(readFileSync(sandbox.files.hosts, "utf8")).toBe("short\n");
  });
});

describe("one process namespace", () => {
  test("is kept by a process without privileges that sees nothing of the host", async () => {
    const sandbox = await sandboxes.create(
      testPod("shared", { shareProcessNamespace: true }),
      undefined,
      scope,
    );
    const { pid = 0, cgroup } = sandbox;
    expect(processesIn(cgroup)).toEqual([pid]);
    expect(readdirSync(`/proc/${pid}/root`).toSorted()).toEqual(["catatonit", "dev", "proc"]);
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^Uid:\t65535\t(?:.*\n)*CapEff:\t0+$/m);
    expect(readlinkSync(`/proc/${pid}/ns/net`)).toBe(run(sandbox, "readlink /proc/self/ns/net"));
    expect(createSandboxes({ layout }).list()[0]?.pid).toBe(pid);

    process.kill(pid, "SIGKILL");
    await expect.poll(() => sandboxes.list()[0]?.pid).toBeUndefined();
    const again = await sandboxes.create(testPod("shared"), undefined, scope);
    expect(again.podUID).not.toBe(sandbox.podUID);
  });
});

describe("lives and ends", () => {
  test("create twice gives the same, remove twice is done, and the next daemon finds it", async () => {
    const pod = testPod("twice");
    const first = await sandboxes.create(pod, undefined, scope);
    expect(await sandboxes.create(pod, undefined, scope)).toEqual(first);
    const next = createSandboxes({ layout });
    expect(next.list()).toEqual([first]);
    expect(await next.create(pod, undefined, scope)).toEqual(first);
    expect(cgroupExists(first.cgroup)).toBe(true);
    await next.remove(pod.metadata.uid, scope);
    await next.remove(pod.metadata.uid, scope);
    await sandboxes.remove(pod.metadata.uid, scope);
    expect(cgroupExists(first.cgroup)).toBe(false);
  });

  test("nothing is left of one that could not be made", async () => {
    const broken = createSandboxes({ layout, runtime: "false" });
    const pod = testPod("broken", { shareProcessNamespace: true });
    await expect(broken.create(pod, undefined, scope)).rejects.toMatchObject({
      code: "FailedCreatePodSandBox",
    });
    expect(broken.list()).toEqual([]);
    expect(node.traces()).toEqual([]);
    expect(node.runFiles()).toEqual([]);
  });

  test("one whose making was cut short, or that a reboot took, is found and made anew", async () => {
    const pod = testPod("cut-short");
    const whole = await sandboxes.create(pod, undefined, scope);
    // As after a reboot on a machine whose run folder is on disk: the files are there, the namespace is not.
    await unpinNamespaces([whole.netns ?? ""], scope);
    writeFileSync(whole.netns ?? "", "");
    const next = createSandboxes({ layout });
    expect(next.list()).toHaveLength(1);
    writeFileSync(join(sandboxDir(layout, pod.metadata.uid), "sandbox.json"), "");
    expect(createSandboxes({ layout }).list()).toMatchObject([{ podUID: pod.metadata.uid }]);
    const remade = await next.create(pod, undefined, scope);
    expect(run(remade, "hostname")).toBe("cut-short");
    expect(readFileSync(join(sandboxDir(layout, pod.metadata.uid), "sandbox.json"), "utf8")).toContain(
      '"ready"',
    );
  });
});
