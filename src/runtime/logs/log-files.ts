import { basename, dirname, join } from "node:path";
import { readFolderIfExists } from "../../host/files.ts";

/** The name of a log that was rotated at that time, as the kubelet names it; `0.log.20261122-230000`. */
export function rotatedLogPath(logPath: string, now: number): string {
  const digits = new Date(now).toISOString().replace(/\D/g, "");
  return `${logPath}.${digits.slice(0, 8)}-${digits.slice(8, 14)}`;
}

/** What follows a log's name in the name of a rotated part: time, number within a second, compression. */
const rotatedSuffix = /^\.(\d{8}-\d{6})(?:-(\d+))?(?:\.gz)?$/;

/** Rotated parts of a log, oldest first; compressed ones end in `.gz`. */
export function rotatedLogs(logPath: string): readonly string[] {
  const log = basename(logPath);
  return readFolderIfExists(dirname(logPath))
    .flatMap((name) => {
      const match = name.startsWith(log) ? rotatedSuffix.exec(name.slice(log.length)) : null;
      return match === null ? [] : [{ name, time: match[1] ?? "", number: Number(match[2] ?? 0) }];
    })
    .sort((a, b) => (a.time === b.time ? a.number - b.number : a.time < b.time ? -1 : 1))
    .map(({ name }) => join(dirname(logPath), name));
}

/** The name before compression, by which a part stays the same. */
export function withoutGzip(path: string): string {
  return path.endsWith(".gz") ? path.slice(0, -3) : path;
}
