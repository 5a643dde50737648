import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../base/errors.ts";
import { readFileIfExists, writeFileAtomically } from "./files.ts";
import type { Layout } from "./layout.ts";
import { processStat } from "./processes.ts";

/** What `daemon.json` in the run directory says of the daemon that owns it. */
export interface DaemonIdentity {
  readonly pid: number;
  /** Clock ticks after boot at which the process started (field 22 of proc(5) stat): a PID alone may be reused. */
  readonly startTime: string;
  readonly version: string;
  /** It was asked to end, and will not be there for long. */
  readonly stopping?: true;
}

function identityFile(layout: Layout): string {
  return join(layout.runDir, "daemon.json");
}

/**
 * A process' start time, or undefined when there is no such process, or only what a kill leaves of one until its memory
 * is given back and its parent has looked.
 */
function processStartTime(pid: number): string | undefined {
  const stat = processStat(pid);
  return stat === undefined || stat.state === "Z" || stat.isExiting ? undefined : String(stat.startTime);
}

/** The daemon that runs for this layout, if one does. */
function findDaemon(layout: Layout): DaemonIdentity | undefined {
  const text = readFileIfExists(identityFile(layout));
  if (text === undefined || text === "") return undefined;
  const identity = JSON.parse(text) as DaemonIdentity;
  return processStartTime(identity.pid) === identity.startTime ? identity : undefined;
}

/**
 * Makes this process the layout's one daemon. Returns undefined, or the daemon that already runs. A file left by
 * a killed daemon is taken over; of several that start at once exactly one wins (open(2) with O_EXCL).
 */
export function claimDaemon(layout: Layout, version: string): DaemonIdentity | undefined {
  mkdirSync(layout.runDir, { recursive: true, mode: 0o700 });
  const own: DaemonIdentity = {
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? "",
    version,
  };
  const claim = join(layout.runDir, "daemon.json.claim");
  for (;;) {
    const running = findDaemon(layout);
    if (running !== undefined) return running;
    try {
      // The claim serialises takeovers; its content lets a takeover that was killed half-way be recognised.
      writeFileSync(claim, JSON.stringify(own), { flag: "wx", mode: 0o600 });
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      const claimant = readClaim(claim);
      if (claimant !== undefined && processStartTime(claimant.pid) === claimant.startTime) return claimant;
      rmSync(claim, { force: true });
      continue;
    }
    const winner = findDaemon(layout);
    if (winner === undefined) writeFileSync(identityFile(layout), JSON.stringify(own), { mode: 0o600 });
    rmSync(claim, { force: true });
    return winner;
  }
}

/** Says in the file of this layout's daemon, which is this process, that it was asked to end. */
export function announceStop(layout: Layout): void {
  const text = readFileIfExists(identityFile(layout));
  if (text === undefined) return;
  const identity: DaemonIdentity = { ...(JSON.parse(text) as DaemonIdentity), stopping: true };
  writeFileAtomically(identityFile(layout), JSON.stringify(identity));
}

/** Gives the layout free again. */
export function releaseDaemon(layout: Layout): void {
  rmSync(identityFile(layout), { force: true });
}

function readClaim(path: string): DaemonIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as DaemonIdentity;
  } catch {
    // Written just now and still empty, or already gone: either way look again.
    return undefined;
  }
}
