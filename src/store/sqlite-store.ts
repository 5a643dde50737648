import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { type Clock, kubernetesTime, systemClock } from "../base/clock.ts";
import { PeapodError } from "../base/errors.ts";
import type { KubernetesObject } from "../kube/types.ts";
import { type ChangeHistory, type ChangeRow, type WatchOptions, watchChanges } from "./changes.ts";
import { alreadyExists, conflict, notFound } from "./object-errors.ts";
import { reserveSpace } from "./reserve-space.ts";
import { prepareStatements, schema } from "./statements.ts";
import { StoredList } from "./stored-json.ts";
import type {
  NewObject,
  ObjectFilter,
  ObjectKey,
  ObjectList,
  ResourceName,
  Store,
  WatchEvent,
} from "./types.ts";

/** How far back changes are kept: whichever bound is reached first. */
export interface StoreOptions {
  /** Changes. Default 5,000. */
  readonly historyLength?: number;
  /** Milliseconds. Default five minutes, the API server's own interval of compaction. */
  readonly historyAge?: number;
  /** How long to wait for another process that has the file open. Default 15 s. */
  readonly lockMilliseconds?: number;
  readonly clock?: Clock;
}

const writesBetweenCompactions = 256;

/**
 * Opens the store in the SQLite file at `path`, making it (mode 0600 is up to the folder it is in), or in
 * memory. One process at a time: a second one that opens the same file fails. Writes survive `kill -9` of the
 * process (WAL, synchronous=NORMAL); after a loss of power the last moments may be missing, consistently.
 */
export function openStore(path: string | ":memory:", options: StoreOptions = {}): Store {
  return new SQLiteStore(path, options);
}

class SQLiteStore implements Store, ChangeHistory {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #historyLength: number;
  readonly #historyAge: number;
  readonly #listeners = new Set<Parameters<ChangeHistory["subscribe"]>[0]>();
  readonly #statements: ReturnType<typeof prepareStatements>;
  #newest: number;
  #compacted: number;
  #writesSinceCompaction = 0;
  #writing = false;

  constructor(path: string, options: StoreOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#historyLength = options.historyLength ?? 5_000;
    this.#historyAge = options.historyAge ?? 5 * 60_000;
    this.#path = path;
    // A daemon that was killed holds its lock until the kernel has ended its last thread.
    this.#database = new DatabaseSync(path, { timeout: options.lockMilliseconds ?? 15_000 });
    // The resourceVersion lives in memory too, so nobody else may write: hold the lock until the end.
    this.#database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;");
    this.#database.exec(schema);
    this.#statements = prepareStatements(this.#database);
    this.#newest = this.#counter("newest");
    this.#compacted = this.#counter("compacted");
    this.#transaction(() => this.#compact());
  }

  create(resource: ResourceName, object: NewObject): KubernetesObject {
    return this.#write(resource, () => {
      const { name, namespace = "" } = object.metadata;
      const key = { resource, namespace, name };
      if (this.#find(key) !== undefined) throw alreadyExists(key);
      const stored: KubernetesObject = {
        ...plain(object),
        metadata: {
          ...plain(object.metadata),
          uid: object.metadata.uid ?? randomUUID(),
          resourceVersion: String(this.#newest + 1),
          creationTimestamp: kubernetesTime(this.#clock.now()),
          ...(object.spec === undefined ? {} : { generation: 1 }),
        },
      };
      const data = JSON.stringify(stored);
      this.#statements.insert.run(resource, namespace, name, data);
      return { type: "ADDED", key, object: stored, data, previous: null };
    });
  }

  get(key: ObjectKey): KubernetesObject {
    return JSON.parse(this.#read(key)) as KubernetesObject;
  }

  list(resource: ResourceName, filter: ObjectFilter = {}): ObjectList {
    const rows =
      filter.namespace === undefined
        ? this.#statements.listAll.all(resource)
        : this.#statements.listNamespace.all(resource, filter.namespace);
    const all = new StoredList(
      this.resourceVersion(),
      rows.map((row) => row.data as string),
    );
    if (filter.matches === undefined) return all;
    return { resourceVersion: all.resourceVersion, items: all.items.filter(filter.matches) };
  }

  update(key: ObjectKey, change: (current: KubernetesObject) => KubernetesObject): KubernetesObject {
    return this.#write(key.resource, () => {
      const previous = this.#read(key);
      const current = JSON.parse(previous) as KubernetesObject;
      const next = plain(change(JSON.parse(previous)));
      const expected = next.metadata.resourceVersion as string | undefined;
      if (expected !== undefined && expected !== current.metadata.resourceVersion) throw conflict(key);

      keepIdentity(next, current);
      if (isDeepStrictEqual(next, current)) return { unchanged: current };
      next.metadata.resourceVersion = String(this.#newest + 1);
      const data = JSON.stringify(next);
      this.#statements.replace.run(data, key.resource, key.namespace, key.name);
      return { type: "MODIFIED", key, object: next, data, previous };
    });
  }

  delete(key: ObjectKey, precondition?: (current: KubernetesObject) => void): KubernetesObject {
    return this.#write(key.resource, () => {
      const previous = this.#read(key);
      precondition?.(JSON.parse(previous));
      const object = JSON.parse(previous) as KubernetesObject;
      object.metadata.resourceVersion = String(this.#newest + 1);
      this.#statements.remove.run(key.resource, key.namespace, key.name);
      return { type: "DELETED", key, object, data: JSON.stringify(object), previous: null };
    });
  }

  watch(resource: ResourceName, options: WatchOptions): AsyncIterable<WatchEvent> {
    return watchChanges(this, resource, options);
  }

  resourceVersion(): string {
    return String(this.#newest);
  }

  reserveSpace(): void {
    if (this.#path !== ":memory:") reserveSpace(this.#database, this.#path);
  }

  close(): void {
    if (!this.#database.isOpen) return;
    this.#database.close();
    for (const listener of [...this.#listeners]) listener("closed");
  }

  newest(): number {
    return this.#newest;
  }

  compacted(): number {
    return this.#compacted;
  }

  read(resource: ResourceName, resourceVersion: number, limit: number): readonly ChangeRow[] {
    return this.#statements.changesAfter.all(resource, resourceVersion, limit) as unknown as ChangeRow[];
  }

  subscribe(listener: Parameters<ChangeHistory["subscribe"]>[0]): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes one change and its history entry in one transaction, then tells the watchers. */
  #write(resource: ResourceName, make: () => Change | { unchanged: KubernetesObject }): KubernetesObject {
    const change = this.#transaction(() => {
      const made = make();
      if ("unchanged" in made) return made;
      const { type, key, data, previous } = made;
      const version = this.#newest + 1;
      this.#statements.addChange.run(
        version,
        resource,
        key.namespace,
        type,
        data,
        previous,
        this.#clock.now(),
      );
      this.#statements.setCounter.run(version, "newest");
      return made;
    });
    if ("unchanged" in change) return change.unchanged;

    this.#newest += 1;
    for (const listener of [...this.#listeners]) listener({ resource, resourceVersion: this.#newest });
    this.#writesSinceCompaction += 1;
    if (this.#writesSinceCompaction >= Math.min(writesBetweenCompactions, this.#historyLength)) {
      this.#transaction(() => this.#compact());
    }
    return change.object;
  }

  /** Forgets the oldest changes. Every resourceVersion is one change, so the count needs no counting. */
  #compact(): void {
    this.#writesSinceCompaction = 0;
    const tooOld = this.#statements.newestBefore.get(this.#clock.now() - this.#historyAge)?.version;
    const cut = Math.max(this.#compacted, this.#newest - this.#historyLength, Number(tooOld ?? 0));
    if (cut <= this.#compacted) return;
    this.#statements.forget.run(cut);
    this.#statements.setCounter.run(cut, "compacted");
    this.#compacted = cut;
  }

  #transaction<T>(body: () => T): T {
    if (this.#writing) throw new PeapodError("InternalError", "the store was written to from inside a write");
    this.#writing = true;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        const result = body();
        this.#database.exec("COMMIT");
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
    } finally {
      this.#writing = false;
    }
  }

  #find(key: ObjectKey): string | undefined {
    const row = this.#statements.find.get(key.resource, key.namespace, key.name);
    return row?.data as string | undefined;
  }

  #read(key: ObjectKey): string {
    const data = this.#find(key);
    if (data === undefined) throw notFound(key);
    return data;
  }

  #counter(name: string): number {
    return Number(this.#statements.counter.get(name)?.value);
  }
}

interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly key: ObjectKey;
  readonly object: KubernetesObject;
  readonly data: string;
  readonly previous: string | null;
}

/** The value as JSON keeps it: a copy without undefined fields. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/**
 * What no writer can change: name, uid and creation time. The generation counts the states that were asked
 * for: it grows when the spec changes and when deletion is asked for.
 */
function keepIdentity(next: KubernetesObject, current: KubernetesObject): void {
  const { name, namespace, uid, creationTimestamp, resourceVersion, generation } = current.metadata;
  Object.assign(next.metadata, { name, uid, creationTimestamp, resourceVersion });
  if (namespace !== undefined) next.metadata.namespace = namespace;
  if (generation === undefined) return;
  const asked =
    !isDeepStrictEqual(next.spec, current.spec) ||
    next.metadata.deletionTimestamp !== current.metadata.deletionTimestamp;
  next.metadata.generation = generation + (asked ? 1 : 0);
}
