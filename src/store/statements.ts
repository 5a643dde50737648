import type { DatabaseSync } from "node:sqlite";

/** Tables: the objects as they are, how they came to be so, and the two ends of that history. */
export const schema = `
  CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (resource, namespace, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS changes (
    resourceVersion INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, type TEXT NOT NULL,
    data TEXT NOT NULL, previous TEXT, at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS changesByResource ON changes (resource, resourceVersion);
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT OR IGNORE INTO counters VALUES ('newest', 1), ('compacted', 0);
`;

/** Every statement of the store, compiled once. */
export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  return {
    find: prepare("SELECT data FROM objects WHERE resource = ? AND namespace = ? AND name = ?"),
    listAll: prepare("SELECT data FROM objects WHERE resource = ? ORDER BY namespace, name"),
    listNamespace: prepare("SELECT data FROM objects WHERE resource = ? AND namespace = ? ORDER BY name"),
    insert: prepare("INSERT INTO objects VALUES (?, ?, ?, ?)"),
    replace: prepare("UPDATE objects SET data = ? WHERE resource = ? AND namespace = ? AND name = ?"),
    remove: prepare("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?"),
    addChange: prepare("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)"),
    changesAfter: prepare(
      "SELECT resourceVersion, type, namespace, data, previous FROM changes WHERE resource = ? AND resourceVersion > ? ORDER BY resourceVersion LIMIT ?",
    ),
    newestBefore: prepare("SELECT max(resourceVersion) AS version FROM changes WHERE at < ?"),
    forget: prepare("DELETE FROM changes WHERE resourceVersion <= ?"),
    counter: prepare("SELECT value FROM counters WHERE name = ?"),
    setCounter: prepare("UPDATE counters SET value = ? WHERE name = ?"),
  };
}
