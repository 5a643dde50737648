import { join } from "node:path";
import { readIfThere } from "../read-file.ts";

/** What the daemon says of itself in `daemon.json`. */
export interface RunningDaemon {
  readonly pid: number;
  /** Clock ticks after boot at which the process started (proc_pid_stat(5), field 22). */
  readonly startTime: string;
  readonly version: string;
  /** It was asked to end. */
  readonly stopping?: true;
}

/** Whether the run folder's daemon was killed: nobody asked it to end, and it has not removed its file. */
export function wasKilled(runDir: string): boolean {
  const daemon = readDaemon(runDir);
  return daemon !== undefined && daemon.stopping !== true;
}

/** The daemon of this run folder, if its process lives; another process under its number does not count. */
export function runningDaemon(runDir: string): RunningDaemon | undefined {
  const daemon = readDaemon(runDir);
  return daemon !== undefined && isAlive(daemon) ? daemon : undefined;
}

function readDaemon(runDir: string): RunningDaemon | undefined {
  const text = readIfThere(join(runDir, "daemon.json"));
  return text === undefined || text === "" ? undefined : JSON.parse(text);
}

/** Whether exactly this process still runs (a zombie does not). */
export function isAlive({ pid, startTime }: RunningDaemon): boolean {
  const stat = readIfThere(`/proc/${pid}/stat`);
  // The name in parentheses may hold any character.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[19] === startTime && fields[0] !== "Z";
}
