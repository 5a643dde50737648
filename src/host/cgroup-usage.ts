import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../base/errors.ts";
import { cgroupRoot, cgroupV1Path, cgroupV2Path } from "./cgroup-mode.ts";

/** What the processes of a cgroup have used. */
export interface CgroupUsage {
  /** Nanoseconds of processor time since the cgroup was made. */
  readonly cpuNanoseconds: number;
  /** Bytes that could not be taken away at once: all memory but file pages that nobody used lately. */
  readonly workingSetBytes: number;
}

/**
 * Usage of a cgroup and all below it, from version 1's counters where the tree has them, else from version 2's;
 * undefined when there is no such cgroup, or no counter of it.
 */
export function cgroupUsage(cgroup: string, root = cgroupRoot): CgroupUsage | undefined {
  const cpuNanoseconds = cpuTime(cgroup, root);
  const workingSetBytes = workingSet(cgroup, root);
  if (cpuNanoseconds === undefined || workingSetBytes === undefined) return undefined;
  return { cpuNanoseconds, workingSetBytes };
}

function cpuTime(cgroup: string, root: string): number | undefined {
  const old = read(cgroupV1Path(cgroup, "cpuacct", root), "cpuacct.usage");
  if (old !== undefined) return Number(old);
  const microseconds = field(read(cgroupV2Path(cgroup, root), "cpu.stat"), "usage_usec");
  return microseconds === undefined ? undefined : microseconds * 1_000;
}

function workingSet(cgroup: string, root: string): number | undefined {
  const v1 = cgroupV1Path(cgroup, "memory", root);
  const v2 = cgroupV2Path(cgroup, root);
  const old = read(v1, "memory.usage_in_bytes");
  const all = old ?? read(v2, "memory.current");
  if (all === undefined) return undefined;
  const unused =
    old === undefined
      ? field(read(v2, "memory.stat"), "inactive_file")
      : field(read(v1, "memory.stat"), "total_inactive_file");
  return Math.max(0, Number(all) - (unused ?? 0));
}

function field(text: string | undefined, name: string): number | undefined {
  const value = text?.match(new RegExp(`^${name} (\\d+)$`, "m"))?.[1];
  return value === undefined ? undefined : Number(value);
}

function read(folder: string | undefined, file: string): string | undefined {
  if (folder === undefined) return undefined;
  try {
    return readFileSync(join(folder, file), "utf8");
  } catch (error) {
    if (["ENOENT", "ENODEV", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw error;
  }
}
