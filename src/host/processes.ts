import { readdirSync, readFileSync } from "node:fs";
import { PeapodError, systemErrorCode } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { isGone, readFileIfExists } from "./files.ts";

/**
 * A process beyond its number, which the kernel gives to another one sooner or later: the time at which it
 * started, in clock ticks since boot (proc_pid_stat(5), field 22), tells the two apart.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: number;
}

/** What /proc/PID/stat says of a process. */
export interface ProcessStat extends ProcessIdentity {
  readonly command: string;
  /** `R`, `S`, `D`, `Z` … */
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  /** A kill has hit it; what is left goes once its memory is given back and its parent has looked. */
  readonly isExiting: boolean;
}

/** PF_EXITING of linux/sched.h, in the flags (field 9). */
const exiting = 0x4;

/** Reads the text of a /proc/PID/stat file. The name, in parentheses, may itself hold any character. */
export function parseProcessStat(text: string): ProcessStat {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const fields = text.slice(close + 2).split(" ");
  return {
    pid: Number(text.slice(0, open)),
    command: text.slice(open + 1, close),
    state: fields[0] ?? "",
    parent: Number(fields[1]),
    session: Number(fields[3]),
    isExiting: (Number(fields[6]) & exiting) !== 0,
    startTime: Number(fields[19]),
  };
}

/** The process that has this number now, or undefined when there is none. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readFileIfExists(`/proc/${pid}/stat`);
  return text === undefined || text === "" ? undefined : parseProcessStat(text);
}

/** Number and start time of the process that has this number now; undefined when there is none. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = processStat(pid);
  return stat === undefined ? undefined : { pid, startTime: stat.startTime };
}

/** Whether it still runs: a zombie, or another process under its number, does not count. */
export function isRunning(process: ProcessIdentity): boolean {
  const stat = processStat(process.pid);
  return (
    stat !== undefined && stat.startTime === process.startTime && stat.state !== "Z" && stat.state !== "X"
  );
}

/**
 * Sends a signal to exactly this process. False when it is gone, also when another one has its number by now.
 */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  return isRunning(target) && signalPID(target.pid, signal);
}

/** Sends a signal to whatever process has this number; false when there is none. */
export function signalPID(pid: number, signal: NodeJS.Signals | number): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ESRCH") return false;
    throw error;
  }
}

/**
 * SIGKILLs the processes that `list` finds until it finds none: one that was killed may still end what it does in the kernel,
 * or have forked just before. Throws Timeout when those of `owner` do not die within ten seconds (uninterruptible sleep),
 * counted by looks: a machine that stands still must not use them up.
 */
export async function killUntilGone(
  list: () => readonly number[],
  owner: string,
  { clock, signal }: Scope,
): Promise<void> {
  for (let wait = 1, looks = 1; ; wait = Math.min(wait * 2, 50), looks += 1) {
    const pids = list();
    if (pids.length === 0) return;
    for (const pid of pids) signalPID(pid, "SIGKILL");
    if (looks > 205) {
      throw new PeapodError("Timeout", `processes ${pids.join(", ")} of ${owner} do not die`);
    }
    await clock.sleep(wait, signal);
  }
}

/** All processes below `pid` in the tree of parents, without itself. */
export function descendantsOf(pid: number): readonly number[] {
  const found: number[] = [];
  const pending = [pid];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    const children = childrenOf(parent);
    found.push(...children);
    pending.push(...children);
  }
  return found;
}

function childrenOf(pid: number): readonly number[] {
  return threadsOf(pid).flatMap((thread) =>
    numbersIn(readFileIfExists(`/proc/${pid}/task/${thread}/children`) ?? ""),
  );
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** The numbers of all processes of the machine, as this PID namespace has them. */
export function listProcesses(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The words of a process' command line; empty for a kernel thread, a zombie or a process that is gone. */
export function commandLineOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** What the kernel calls this boot; another one means that every process and mount of before is gone. */
export function bootID(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function numbersIn(text: string): readonly number[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== "")
    .map(Number);
}
