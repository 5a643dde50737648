import { globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { removeCgroup } from "../cgroup.ts";
import { run, runDetached } from "../command.ts";
import { podManifest } from "../manifest.ts";
import { processes, proportionalSetSize } from "../measure/memory.ts";
import { now } from "../measure/stamps.ts";
import type { BenchPod, Side } from "../types.ts";

// Raising rlimits needs CAP_SYS_RESOURCE, which some virtual machines lack; these are below the usual limits.
const containersConf = (dir: string) => `
[containers]
default_ulimits = ["nofile=10000:10000", "nproc=10000:10000"]
[engine]
runtime = "crun"
cgroup_manager = "cgroupfs"
events_logger = "file"
static_dir = "${dir}/libpod"
tmp_dir = "${dir}/tmp"
volume_path = "${dir}/volumes"
[network]
network_backend = "netavark"
network_config_dir = "${dir}/networks"
default_subnet = "10.213.0.0/16"
`;

/** What podman leaves on the machine outside its own folders. */
async function machineState(): Promise<{ tables: string[]; cgroups: string[]; locks: string[] }> {
  const tables = (await run("nft", ["list", "tables"])).split("\n").filter(Boolean);
  return {
    tables: tables.map((line) => line.replace(/^table /, "")),
    cgroups: globSync("/sys/fs/cgroup/{,*/}libpod_parent"),
    locks: globSync("/dev/shm/libpod_lock"),
  };
}

/** Removes what was not there before podman's first run: its firewall tables, cgroups and lock file. */
async function restoreMachine(before: Awaited<ReturnType<typeof machineState>>): Promise<void> {
  const after = await machineState();
  for (const table of after.tables) {
    if (before.tables.includes(table) || !["ip nat", "ip filter"].includes(table)) continue;
    await run("nft", ["delete", "table", ...table.split(" ")]);
  }
  for (const cgroup of after.cgroups) if (!before.cgroups.includes(cgroup)) await removeCgroup(cgroup);
  for (const file of after.locks) if (!before.locks.includes(file)) rmSync(file);
}

/** `podman kube play` with storage of its own, so that the user's containers and images are not touched. */
export async function podmanSide(workDir: string, archive: string): Promise<Side> {
  const dir = join(workDir, "podman");
  mkdirSync(join(dir, "networks"), { recursive: true });
  writeFileSync(join(dir, "containers.conf"), containersConf(dir));
  const env = { CONTAINERS_CONF: join(dir, "containers.conf") };
  const storage = ["--root", join(dir, "root"), "--runroot", join(dir, "run"), "--storage-driver", "overlay"];
  const podman = (...args: string[]) => run("podman", [...storage, ...args], env);
  const before = await machineState();
  await podman("load", "--quiet", "--input", archive);

  const manifestFile = (pod: BenchPod) => join(dir, `${pod.name}.json`);
  return {
    name: "podman",
    cgroups: ["libpod_parent"],
    ready: async (pod) => writeFileSync(manifestFile(pod), JSON.stringify(podManifest(pod))),
    start: (pod) => runDetached("podman", [...storage, "kube", "play", "--quiet", manifestFile(pod)], env),
    stop: async (pod) => {
      const stopAt = now();
      await podman("pod", "stop", pod.name);
      const stopped = now() - stopAt;
      // Each container's monitor now runs a clean-up of its own, which `pod rm` may wait 3 s for. Not its work.
      await sleep(300);
      const removeAt = now();
      await podman("pod", "rm", pod.name);
      return stopped + now() - removeAt;
    },
    exec: async (pod) => void (await podman("exec", `${pod.name}-${pod.containers[0]}`, "/bin/true")),
    memory: () => {
      const all = processes();
      const monitors = all.filter((seen) => seen.program === "conmon" && seen.commandLine.includes(dir));
      const monitorPids = new Set(monitors.map(({ pid }) => pid));
      const helpers = all.filter(
        (seen) =>
          (seen.program === "catatonit" && monitorPids.has(seen.parent)) ||
          (seen.program === "aardvark-dns" && seen.commandLine.includes(dir)),
      );
      return proportionalSetSize([...monitors, ...helpers].map(({ pid }) => pid));
    },
    close: async () => {
      await podman("pod", "rm", "--all", "--force", "--time", "0");
      await podman("image", "rm", "--all", "--force");
      rmSync(dir, { recursive: true, force: true });
      await restoreMachine(before);
    },
  };
}
