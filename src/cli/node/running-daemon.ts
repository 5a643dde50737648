import { join } from "node:path";
import { readIfThere } from "../read-file.ts";

/** What the daemon says of itself in `daemon.json`. */
export interface RunningDaemon {
  readonly pid: number;
  /** Clock ticks after boot at which the process started (proc_pid_stat(5), field 22). */
  readonly startTime: string;
  readonly version: string;
}

/** The daemon of this run folder, if its process lives; another process under its number does not count. */
export function runningDaemon(runDir: string): RunningDaemon | undefined {
  const text = readIfThere(join(runDir, "daemon.json"));
  if (text === undefined || text === "") return undefined;
  const daemon: RunningDaemon = JSON.parse(text);
  return isAlive(daemon) ? daemon : undefined;
}

/** Whether exactly this process still runs (a zombie does not). */
export function isAlive({ pid, startTime }: RunningDaemon): boolean {
  const stat = readIfThere(`/proc/${pid}/stat`);
  // The name in parentheses may hold any character.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[19] === startTime && fields[0] !== "Z";
}
