import { existsSync, readFileSync } from "node:fs";
import { release, totalmem } from "node:os";
import { join } from "node:path";
import { type CgroupMode, cgroupMode, cgroupRoot, cgroupV1Path } from "../host/cgroups.ts";
import { readFileIfExists } from "../host/files.ts";
import { pageSizeName, readHugePages } from "../host/huge-pages.ts";
import { capabilityNames } from "./spec/capability-names.ts";

/** What a container's configuration depends on beside the pod: what this machine has and this daemon may. */
export interface Machine {
  /** `x86_64`, `aarch64` … as uname(2) says. */
  readonly architecture: string;
  readonly kernel: { readonly major: number; readonly minor: number };
  /** Capabilities that this process has and so can give away, as `CAP_…` in the kernel's order. */
  readonly capabilities: readonly string[];
  /** Hard limits of this process by their name in /proc/self/limits; Infinity for none. */
  readonly maxOpenFiles: number;
  /** The daemon's own oom_score_adj: the lowest that it can give without CAP_SYS_RESOURCE. */
  readonly oomScoreAdj: number;
  readonly memoryBytes: number;
  readonly cgroupMode: CgroupMode;
  /** Sizes of huge pages that the machine has and cgroups can limit, as cgroups name them: `2MB`. */
  readonly hugePageSizes: readonly string[];
  /** Whether swap can be limited: by a kernel option with version 1; with version 2 by every kernel that can swap. */
  readonly swapAccounting: boolean;
}

/** Reads the machine's properties. They do not change while the daemon runs. */
export function readMachine(): Machine {
  const mode = cgroupMode();
  const [major = 0, minor = 0] = release()
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  const memory = cgroupV1Path("/", "memory");
  return {
    architecture: process.arch === "x64" ? "x86_64" : process.arch === "arm64" ? "aarch64" : process.arch,
    kernel: { major, minor },
    capabilities: capabilityNames(
      /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0",
    ),
    maxOpenFiles: hardLimit(readFileSync("/proc/self/limits", "utf8"), "Max open files"),
    oomScoreAdj: Number(readFileSync("/proc/self/oom_score_adj", "utf8")),
    memoryBytes: totalmem(),
    cgroupMode: mode,
    hugePageSizes: limitableHugePages(mode),
    swapAccounting:
      memory === undefined ? existsSync("/proc/swaps") : existsSync(`${memory}/memory.memsw.limit_in_bytes`),
  };
}

function limitableHugePages(mode: CgroupMode): readonly string[] {
  const controllers = readFileIfExists(join(cgroupRoot, "cgroup.controllers")) ?? "";
  const canLimit =
    mode === "unified"
      ? controllers.split(/\s+/).includes("hugetlb")
      : cgroupV1Path("/", "hugetlb") !== undefined;
  if (!canLimit) return [];
  return readHugePages()
    .filter(({ pages }) => pages > 0)
    .map(({ pageBytes }) => pageSizeName(pageBytes, "B"));
}

/** Whether mounts can be changed together with those below them: mount_setattr(2), Linux 5.12. */
export function hasMountAttributes({ kernel }: Pick<Machine, "kernel">): boolean {
  return kernel.major > 5 || (kernel.major === 5 && kernel.minor >= 12);
}

/** The hard limit of that name in the text of a /proc/PID/limits file (proc_pid_limits(5)). */
function hardLimit(limits: string, name: string): number {
  const line = limits.split("\n").find((each) => each.startsWith(name));
  const hard = line?.slice(name.length).trim().split(/\s+/)[1];
  return hard === undefined || hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}
