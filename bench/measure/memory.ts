import { readdirSync, readFileSync } from "node:fs";

/** A process as far as the benchmark looks at it. */
export interface ProcessSeen {
  readonly pid: number;
  readonly parent: number;
  readonly program: string;
  readonly commandLine: string;
}

/** All processes of this machine right now. */
export function processes(): ProcessSeen[] {
  const found: ProcessSeen[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      found.push({
        pid: Number(entry),
        parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]),
        program: stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")")),
        commandLine: readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " "),
      });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** Proportional set size in bytes: a page shared by n processes counts 1/n in each. */
export function proportionalSetSize(pids: readonly number[]): number {
  let bytes = 0;
  for (const pid of pids) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      bytes += Number(rollup.match(/^Pss:\s+(\d+) kB$/m)?.[1] ?? 0) * 1024;
    } catch {
      // It ended while we looked.
    }
  }
  return bytes;
}
