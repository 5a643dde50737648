import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import type { Surroundings } from "./report.ts";

/** What one must know of machine and versions to compare two results. */
export async function surroundings(): Promise<Surroundings> {
  const firstLine = async (file: string, ...args: string[]) => (await run(file, args)).split("\n")[0] ?? "";
  return {
    date: new Date().toISOString(),
    commit: await firstLine("git", "-C", import.meta.dirname, "rev-parse", "HEAD").catch(() => "unknown"),
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    cgroups: existsSync("/sys/fs/cgroup/cgroup.controllers") ? "v2" : "v1 or hybrid",
    loadBefore: readFileSync(join("/proc", "loadavg"), "utf8").trim(),
    crun: await firstLine("crun", "--version"),
    conmon: await firstLine("conmon", "--version"),
    podman: await firstLine("podman", "--version"),
    node: process.version,
  };
}
