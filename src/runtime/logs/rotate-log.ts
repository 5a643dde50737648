import {
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  linkSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { systemErrorCode } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { isGone } from "../../host/files.ts";
import { rotatedLogPath, rotatedLogs } from "./log-files.ts";

/** The kubelet's defaults: containerLogMaxSize 10Mi, containerLogMaxFiles 5 with the current one. */
export interface RotationLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

export const kubeletRotationLimits: RotationLimits = { maxBytes: 10 * 1024 * 1024, maxFiles: 5 };

/** conmon's control message "open the log files anew" (the two zeros are a terminal size, unused here). */
const reopenMessage = "2 0 0\n";
/** Five seconds, counted by looks: a machine that stands still must not use them up. */
const reopenLooks = 55;

/**
 * Rotates a running container's log when it is over the limit: renames it, has the monitor open a new one, then
 * compresses older parts and deletes the oldest. The monitor writes to the renamed file until it has opened the
 * new one, so no line is lost. Does nothing for a log that is small or absent.
 */
export async function rotateLog(
  logPath: string,
  controlFIFO: string,
  limits: RotationLimits,
  scope: Scope,
): Promise<void> {
  // A daemon that was killed between the renaming and the request has left the monitor with the renamed file.
  if (!existsSync(logPath) && rotatedLogs(logPath).length > 0) await requestReopen(controlFIFO);
  const size = statSync(logPath, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= limits.maxBytes) return;
  const rotated = freeName(rotatedLogPath(logPath, scope.clock.now()));
  renameSync(logPath, rotated);
  removeAliases(logPath, rotated);
  try {
    await requestReopen(controlFIFO);
    await untilReopened(logPath, controlFIFO, scope);
  } catch (error) {
    // Without a new file the monitor goes on with the old one, which must keep its name then.
    nameAgain(rotated, logPath, isMonitorGone(error));
    throw error;
  }
  await compressAndDelete(logPath, limits, scope);
}

/**
 * Gives the log its name again. The new name stays beside it unless the monitor is gone: it may make the new file at this very
 * moment, or later, over this name. Readers take both for one.
 */
function nameAgain(rotated: string, logPath: string, isSettled: boolean): void {
  try {
    linkSync(rotated, logPath);
    if (isSettled) rmSync(rotated);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}

/** Removes the other names of the rotated part, which {@link nameAgain} has left. */
function removeAliases(logPath: string, rotated: string): void {
  const { ino } = statSync(rotated);
  for (const path of rotatedLogs(logPath)) {
    if (path !== rotated && statSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path);
  }
}

/** All rotated parts but the newest are compressed; only so many are kept that the current one fits in. */
async function compressAndDelete(logPath: string, limits: RotationLimits, scope: Scope): Promise<void> {
  const parts = rotatedLogs(logPath);
  const kept = parts.slice(-(limits.maxFiles - 1));
  for (const path of parts.slice(0, parts.length - kept.length)) rmSync(path, { force: true });
  for (const path of kept.slice(0, -1)) {
    if (!path.endsWith(".gz")) await compress(path, scope);
  }
}

/** Under its new name only when complete, so that a reader or a killed daemon never meets half of it. */
async function compress(path: string, scope: Scope): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const output = createWriteStream(temporary, { mode: 0o600 });
    await pipeline(createReadStream(path), createGzip(), output, { signal: scope.signal });
    renameSync(temporary, `${path}.gz`);
    rmSync(path, { force: true });
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Fails with ENXIO when no monitor reads the FIFO, rather than waiting for one. */
function openForMonitor(controlFIFO: string): Promise<FileHandle> {
  return open(controlFIFO, constants.O_WRONLY | constants.O_NONBLOCK);
}

async function requestReopen(controlFIFO: string): Promise<void> {
  const fifo = await openForMonitor(controlFIFO);
  try {
    await fifo.write(reopenMessage);
  } finally {
    await fifo.close();
  }
}

/** Fails as {@link requestReopen} does when the monitor goes without having made the new file. */
async function untilReopened(path: string, controlFIFO: string, scope: Scope): Promise<void> {
  for (let wait = 1, looks = 1; !existsSync(path); wait = Math.min(wait * 2, 100), looks += 1) {
    if (looks > reopenLooks) throw new Error(`monitor did not open ${path} anew`);
    await scope.clock.sleep(wait, scope.signal);
    try {
      await openForMonitor(controlFIFO).then((fifo) => fifo.close());
    } catch (error) {
      if (!existsSync(path)) throw error;
    }
  }
}

function freeName(wanted: string): string {
  if (!existsSync(wanted) && !existsSync(`${wanted}.gz`)) return wanted;
  for (let suffix = 1; ; suffix += 1) {
    const name = `${wanted}-${suffix}`;
    if (!existsSync(name) && !existsSync(`${name}.gz`)) return name;
  }
}

/** Whether the failure only says that the container's monitor has just gone. */
export function isMonitorGone(error: unknown): boolean {
  return isGone(error) || systemErrorCode(error) === "ENXIO";
}
