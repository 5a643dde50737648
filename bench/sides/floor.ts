import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { removeCgroup } from "../cgroup.ts";
import { run, runDetached } from "../command.ts";
import { now } from "../measure/stamps.ts";
import type { BenchPod, Side } from "../types.ts";
import { bundleFor, type OciConfig, type PinnedNamespaces } from "./bundle.ts";

/**
 * The floor: `crun run -d` for all containers of the pod at once, on Peapod's own bundles. Namespaces, root file
 * systems, configurations and the compiled seccomp profile are ready before the clock starts; there is no
 * network, no log, no monitor and nobody who waits for the containers.
 */
export function floorSide(workDir: string, rootfs: string, template: OciConfig): Side {
  const dir = join(workDir, "floor");
  const state = join(dir, "state");
  const crun = (...args: string[]) => run("crun", ["--root", state, ...args]);
  const podDir = (pod: BenchPod) => join(dir, pod.name);
  const idOf = (pod: BenchPod, container: string) => `${pod.name}-${container}`;
  const pidOf = (pod: BenchPod, container: string) =>
    readFileSync(join(podDir(pod), container, "pid"), "utf8").trim();

  return {
    name: "floor",
    cgroups: ["peapod-bench"],
    ready: async (pod) => {
      const pinned = await pinNamespaces(join(podDir(pod), "namespaces"));
      for (const container of pod.containers) {
        const bundle = join(podDir(pod), container);
        const root = await mountRoot(bundle, rootfs);
        writeFileSync(
          join(bundle, "config.json"),
          JSON.stringify(bundleFor(template, pod, container, root, pinned)),
        );
      }
    },
    start: async (pod) => {
      const start = (container: string) => {
        const bundle = join(podDir(pod), container);
        const files = ["--bundle", bundle, "--pid-file", join(bundle, "pid")];
        return runDetached("crun", ["--root", state, "run", "--detach", ...files, idOf(pod, container)]);
      };
      await Promise.all(pod.containers.map(start));
    },
    stop: async (pod) => {
      const begun = now();
      await Promise.all(
        pod.containers.map(async (container) => {
          const pid = pidOf(pod, container);
          await crun("kill", idOf(pod, container), "TERM");
          while (runs(pid)) await sleep(1);
          await crun("delete", idOf(pod, container));
        }),
      );
      const took = now() - begun;
      for (const mount of globSync("{namespaces/*,*/root}", { cwd: podDir(pod) })) {
        await run("umount", [join(podDir(pod), mount)]);
      }
      rmSync(podDir(pod), { recursive: true });
      return took;
    },
    exec: async (pod) => void (await crun("exec", idOf(pod, pod.containers[0] ?? ""), "/bin/true")),
    close: async () => {
      for (const cgroup of globSync("/sys/fs/cgroup/{,*/}peapod-bench")) await removeCgroup(cgroup);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Whether a process runs; one that has ended and that nobody has waited for doesn't. */
function runs(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}

async function pinNamespaces(dir: string): Promise<PinnedNamespaces> {
  mkdirSync(dir, { recursive: true });
  const pinned = { network: join(dir, "net"), ipc: join(dir, "ipc"), uts: join(dir, "uts") };
  for (const file of Object.values(pinned)) writeFileSync(file, "");
  await run("unshare", [`--net=${pinned.network}`, `--ipc=${pinned.ipc}`, `--uts=${pinned.uts}`, "true"]);
  return pinned;
}

async function mountRoot(bundle: string, lower: string): Promise<string> {
  const [root, upper, work] = ["root", "upper", "work"].map((name) => join(bundle, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [root, upper, work]) mkdirSync(folder, { recursive: true });
  await run("mount", [
    "-t",
    "overlay",
    "-o",
    `lowerdir=${lower},upperdir=${upper},workdir=${work}`,
    "overlay",
    root,
  ]);
  return root;
}
