import { errorCode, PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import type { ObjectList, Selectors, Table, WatchedObject } from "./client.ts";
import { splitLines } from "./lines.ts";
import { errorFromStatus, type Status } from "./status.ts";

/** What to watch, and from when. */
export interface WatchOptions extends Selectors {
  readonly namespace?: string | undefined;
  /** Go on after this version. Absent: begin with every object there is, as ADDED. */
  readonly resourceVersion?: string | undefined;
  /** Rows as the server prints them: each change's object is a Table of one row. */
  readonly table?: boolean;
  /** How long the server may be away before the watch fails with `NodeUnreachable`. Default 15 s. */
  readonly patienceMilliseconds?: number;
}

/** One change, or (BOOKMARK never comes out) the state after a gap as the changes that lead to it. */
export interface WatchChange<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: T;
}

/** The two requests that a watch is made of. */
export interface WatchSource {
  list(scope: Scope): Promise<ObjectList<WatchedObject> | Table>;
  /** Opens the stream of newline-separated frames after `resourceVersion`. */
  watch(resourceVersion: string, scope: Scope): Promise<AsyncGenerator<Buffer, void>>;
}

interface Frame {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: (WatchedObject | Table) & Partial<Status>;
}

const firstPauseMilliseconds = 50;
const longestPauseMilliseconds = 1_000;

/**
 * Every change of the watched objects, each once and in order, until the signal aborts (which ends the
 * iteration quietly) or the caller stops iterating.
 *
 * A stream that ends or breaks is resumed after the last version seen. When the server's history no longer
 * reaches back so far (410 Expired), the objects are listed again and what happened in between comes out as the
 * changes that lead there, deletions included. Other refusals of the server are thrown.
 * Rules: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
 */
export async function* watchObjects<T extends WatchedObject | Table>(
  source: WatchSource,
  options: WatchOptions,
  scope: Scope,
): AsyncGenerator<WatchChange<T>, void, undefined> {
  const known = new Map<string, WatchedObject | Table>();
  const patience = options.patienceMilliseconds ?? 15_000;
  let resourceVersion = options.resourceVersion;
  let pause = firstPauseMilliseconds;
  let brokenSince: number | undefined;

  while (!scope.signal.aborted) {
    try {
      if (resourceVersion === undefined) {
        const list = await source.list(scope);
        yield* changesBetween<T>(known, "rows" in list ? singleRows(list) : list.items);
        resourceVersion = list.metadata?.resourceVersion ?? "0";
      }
      for await (const line of splitLines(await source.watch(resourceVersion, scope))) {
        const frame: Frame = JSON.parse(line.toString());
        if (frame.type === "ERROR") throw errorFromStatus({ ...frame.object, kind: "Status" });
        brokenSince = undefined;
        pause = firstPauseMilliseconds;
        resourceVersion = metadataOf(frame.object)?.resourceVersion ?? resourceVersion;
        if (frame.type === "BOOKMARK") continue;
        remember(known, frame.type, frame.object);
        yield { type: frame.type, object: frame.object as T };
      }
      brokenSince = undefined;
    } catch (error) {
      if (scope.signal.aborted) return;
      const code = errorCode(error);
      if (code === "Expired") {
        resourceVersion = undefined;
        continue;
      }
      const broken =
        code === "NodeUnreachable" || code === "ServiceUnavailable" || error instanceof SyntaxError;
      if (!broken) throw error;
      brokenSince ??= scope.clock.now();
      if (scope.clock.now() - brokenSince >= patience) {
        throw new PeapodError("NodeUnreachable", "the node daemon went away", { cause: error });
      }
    }
    await scope.clock.sleep(pause, scope.signal).catch(() => {});
    pause = Math.min(2 * pause, longestPauseMilliseconds);
  }
}

/** The metadata of the object, or of the one in the table's only row. */
function metadataOf(object: WatchedObject | Table): WatchedObject["metadata"] {
  const row = "rows" in object ? object.rows[0]?.object?.metadata : undefined;
  return row ?? object.metadata;
}

function singleRows(table: Table): Table[] {
  return table.rows.map((row) => ({ ...table, rows: [row] }));
}

function remember(
  known: Map<string, WatchedObject | Table>,
  type: string,
  object: WatchedObject | Table,
): void {
  const uid = metadataOf(object)?.uid ?? "";
  if (type === "DELETED") known.delete(uid);
  else known.set(uid, object);
}

function* changesBetween<T>(
  known: Map<string, WatchedObject | Table>,
  items: readonly (WatchedObject | Table)[],
): Generator<WatchChange<T>, void, undefined> {
  const present = new Set(items.map((item) => metadataOf(item)?.uid));
  for (const [uid, object] of [...known]) {
    if (present.has(uid)) continue;
    known.delete(uid);
    yield { type: "DELETED", object: object as T };
  }
  for (const item of items) {
    const before = known.get(metadataOf(item)?.uid ?? "");
    const same = before !== undefined && versionOf(before) === versionOf(item);
    if (same) continue;
    remember(known, "ADDED", item);
    yield { type: before === undefined ? "ADDED" : "MODIFIED", object: item as T };
  }
}

function versionOf(object: WatchedObject | Table): string | undefined {
  return metadataOf(object)?.resourceVersion;
}
