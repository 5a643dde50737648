import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isGone } from "../../host/files.ts";

/** The name of a log that was rotated at that time, as the kubelet names it; `0.log.20261122-230000`. */
export function rotatedLogPath(logPath: string, now: number): string {
  const digits = new Date(now).toISOString().replace(/\D/g, "");
  return `${logPath}.${digits.slice(0, 8)}-${digits.slice(8, 14)}`;
}

/** Rotated parts of a log, oldest first; compressed ones end in `.gz`. */
export function rotatedLogs(logPath: string): readonly string[] {
  const prefix = `${basename(logPath)}.`;
  try {
    return readdirSync(dirname(logPath))
      .filter(
        (name) => name.startsWith(prefix) && /^\d{8}-\d{6}(-\d+)?(\.gz)?$/.test(name.slice(prefix.length)),
      )
      .sort((a, b) => (withoutGzip(a) < withoutGzip(b) ? -1 : 1))
      .map((name) => join(dirname(logPath), name));
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** The name before compression, by which a part stays the same. */
export function withoutGzip(path: string): string {
  return path.endsWith(".gz") ? path.slice(0, -3) : path;
}
