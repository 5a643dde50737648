import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupV1Path } from "../../src/host/cgroups.ts";
import { layoutFor, podCgroup } from "../../src/host/layout.ts";
import type { TestNode } from "./peapod.ts";

/** What the kernel says that a cgroup may use; undefined: no limit. */
export interface CgroupLimits {
  /** Microseconds of each 100 ms. */
  readonly cpuQuota: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly processes: number | undefined;
  /** Version 1's `cpu.shares`; undefined with version 2. */
  readonly cpuShares: number | undefined;
}

/** Reads the limits of a pod's cgroup, or of one below it (`NAME/ATTEMPT` of a container). */
export function cgroupLimits(node: TestNode, podUID: string, below = ""): CgroupLimits {
  const cgroup = join(podCgroup(layoutFor(node.stateDir, node.runDir), podUID), below);
  const read = (controller: string, v1: string, v2: string) => {
    const folder = cgroupV1Path(cgroup, controller);
    return readFileSync(
      folder === undefined ? join("/sys/fs/cgroup", cgroup, v2) : join(folder, v1),
      "utf8",
    ).trim();
  };
  const limit = (text: string) => {
    const value = Number(text.split(" ")[0]);
    // "max" with version 2, -1 or nearly 2⁶³ with version 1.
    return Number.isNaN(value) || value < 0 || value > 2 ** 62 ? undefined : value;
  };
  const isVersion1 = cgroupV1Path(cgroup, "cpu") !== undefined;
  return {
    cpuQuota: limit(read("cpu", "cpu.cfs_quota_us", "cpu.max")),
    memoryBytes: limit(read("memory", "memory.limit_in_bytes", "memory.max")),
    processes: limit(read("pids", "pids.max", "pids.max")),
    cpuShares: isVersion1 ? Number(read("cpu", "cpu.shares", "")) : undefined,
  };
}
