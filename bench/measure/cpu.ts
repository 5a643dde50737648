import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Short-lived processes are most of the work, and /proc forgets them; a cgroup doesn't. Cgroup v1 counts in the
// cpuacct hierarchy, v2 in cpu.stat of every cgroup. Both add a removed child's time to its parent.
const v1 = "/sys/fs/cgroup/cpuacct";
const root = existsSync(v1) ? v1 : "/sys/fs/cgroup";

/** CPU seconds that a cgroup has used; 0 when there is no such cgroup. */
export function usedSeconds(cgroup: string): number {
  try {
    if (root === v1) return Number(readFileSync(join(root, cgroup, "cpuacct.usage"), "utf8")) / 1e9;
    const stat = readFileSync(join(root, cgroup, "cpu.stat"), "utf8");
    return Number(stat.match(/^usage_usec (\d+)$/m)?.[1]) / 1e6;
  } catch {
    return 0; // not there yet, or gone: nothing ran in it
  }
}

/** Puts a running process, and what it starts from now on, into a cgroup of that name, and returns the name. */
export function countInCgroup(name: string, pid: number): string {
  mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, name, "cgroup.procs"), String(pid));
  return name;
}

/** Removes the cgroups that counting made; their processes must be gone, or back where they were. */
export function removeCounters(): void {
  for (const name of globSync("peapod-bench-*", { cwd: root })) rmdirSync(join(root, name));
}

/**
 * CPU seconds that a piece of work costs: of every command that it runs and of all in the given cgroups, less
 * the benchmark's own. The benchmark moves itself into a cgroup for that time, so that what it starts is in it.
 */
export async function cpuSecondsOf(cgroups: readonly string[], work: () => Promise<void>): Promise<number> {
  const home = ownCgroup();
  const commands = countInCgroup("peapod-bench-commands", process.pid);
  const sum = () => [commands, ...cgroups].reduce((seconds, cgroup) => seconds + usedSeconds(cgroup), 0);
  const before = sum();
  const self = process.cpuUsage();
  try {
    await work();
    const { user, system } = process.cpuUsage(self);
    return sum() - before - (user + system) / 1e6;
  } finally {
    countInCgroup(home, process.pid);
  }
}

/** The cgroup of this process, in the hierarchy that counts. */
export function ownCgroup(): string {
  const line = root === v1 ? /^\d+:(?:[^:]*,)?cpuacct(?:,[^:]*)?:(.*)$/m : /^0::(.*)$/m;
  return readFileSync("/proc/self/cgroup", "utf8").match(line)?.[1] ?? "/";
}
