import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

/** Room for about a thousand changes: more than deleting every pod of a node takes. */
const reserveBytes = 4 * 1024 * 1024;
const pageBytes = 4096;

/**
 * Sees to it that a full disk does not keep objects from being changed and deleted: the write-ahead log gets a length
 * within which SQLite writes it over and over (https://sqlite.org/wal.html#avoiding_excessively_large_wal_files), the
 * database free pages that new content takes first. Does nothing on a disk that is full already.
 */
export function reserveSpace(database: DatabaseSync, path: string): void {
  const logBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const free = Number(database.prepare("PRAGMA freelist_count").get()?.freelist_count) * pageBytes;
  if (logBytes >= reserveBytes && free >= reserveBytes / 2) return;
  try {
    database.exec(`CREATE TABLE reserve (data BLOB); INSERT INTO reserve VALUES (zeroblob(${reserveBytes}))`);
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== sqliteFull) throw error;
  }
  database.exec("DROP TABLE IF EXISTS reserve; PRAGMA wal_checkpoint(RESTART)");
}

/** SQLITE_FULL: https://sqlite.org/rescode.html#full. */
const sqliteFull = 13;
