import { PeapodError } from "../base/errors.ts";
import type { KubernetesObject } from "../kube/types.ts";
import { StoredEvent } from "./stored-json.ts";
import type { ObjectFilter, ResourceName, WatchEvent } from "./types.ts";

/** One row of the change history, objects still as JSON: every reader parses its own copy. */
export interface ChangeRow {
  readonly resourceVersion: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly namespace: string;
  readonly data: string;
  /** State before a MODIFIED, so that a filter sees objects start and stop matching. */
  readonly previous: string | null;
}

/** What a watcher needs of the store: the history, where it ends on both sides, and to hear of changes. */
export interface ChangeHistory {
  /** Changes of `resource` after `resourceVersion`, oldest first, at most `limit`. */
  read(resource: ResourceName, resourceVersion: number, limit: number): readonly ChangeRow[];
  /** The newest resourceVersion. */
  newest(): number;
  /** Changes up to and with this resourceVersion are forgotten. */
  compacted(): number;
  /** Calls `listener` after every change and at the store's end. Returns how to stop. */
  subscribe(
    listener: (change: { resource: ResourceName; resourceVersion: number } | "closed") => void,
  ): () => void;
}

export interface WatchOptions {
  readonly resourceVersion: string;
  readonly filter?: ObjectFilter;
  readonly signal: AbortSignal;
  /** Milliseconds of quiet after which a BOOKMARK says how far the watch has seen everything. */
  readonly bookmarkInterval?: number;
}

/** Of objects as large as they may be, a watcher holds some megabytes at most. */
const batchSize = 16;

/**
 * Follows the change history from a resourceVersion on. History and live changes take the same path: the
 * watcher reads rows in batches and sleeps when there are none. So a slow reader holds one batch in memory,
 * never a queue; the bounded history is its buffer, and when the history is compacted past its position, the
 * watch ends with Expired. A reader that is caught up moves along with other resources' changes and never expires.
 */
export async function* watchChanges(
  history: ChangeHistory,
  resource: ResourceName,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, void, undefined> {
  const { filter = {}, signal } = options;
  let position = parseResourceVersion(options.resourceVersion);
  // A version from the future was handed out by a store that is no more: only a new list helps.
  if (position > history.newest()) throw expired(position, history.newest());

  let caughtUp = false;
  let closed = false;
  let wake = () => {};
  const unsubscribe = history.subscribe((change) => {
    if (change === "closed") closed = true;
    else if (change.resource === resource) caughtUp = false;
    else if (caughtUp) position = change.resourceVersion;
    if (closed || !caughtUp) wake();
  });
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted && !closed) {
      if (position < history.compacted()) throw expired(position, history.compacted());
      const rows = history.read(resource, position, batchSize);
      caughtUp = rows.length < batchSize;
      position = caughtUp ? history.newest() : (rows.at(-1)?.resourceVersion ?? position);
      for (const row of rows) {
        const event = filteredEvent(row, filter);
        if (event !== undefined) yield event;
        if (signal.aborted) return;
      }
      while (caughtUp && !signal.aborted && !closed) {
        const quiet = await new Promise<boolean>((resolve) => {
          const timer =
            options.bookmarkInterval === undefined
              ? undefined
              : setTimeout(() => resolve(true), options.bookmarkInterval);
          wake = () => {
            clearTimeout(timer);
            resolve(false);
          };
        });
        if (quiet && caughtUp) yield bookmark(position);
      }
    }
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", onAbort);
    wake();
  }
}

/** The resourceVersion as a number. BadRequest for anything that this API did not hand out. */
function parseResourceVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new PeapodError("BadRequest", `Invalid value: ${JSON.stringify(text)}: invalid resource version`);
  }
  return Number(text);
}

function expired(position: number, oldest: number): PeapodError {
  return new PeapodError("Expired", `too old resource version: ${position} (${oldest})`);
}

function bookmark(position: number): WatchEvent {
  const object = { apiVersion: "", kind: "", metadata: { resourceVersion: String(position) } };
  return { type: "BOOKMARK", object: object as KubernetesObject };
}

/**
 * The change as somebody sees it who knows only matching objects. One that stops matching appears as DELETED
 * in its last matching state, with the resourceVersion of the change.
 */
function filteredEvent(row: ChangeRow, filter: ObjectFilter): WatchEvent | undefined {
  if (filter.namespace !== undefined && filter.namespace !== row.namespace) return undefined;
  const { matches } = filter;
  if (matches === undefined) return new StoredEvent(row.type, row.data);
  const object = JSON.parse(row.data) as KubernetesObject;
  if (row.previous === null) return matches(object) ? { type: row.type, object } : undefined;

  const previous = JSON.parse(row.previous) as KubernetesObject;
  const is = matches(object);
  if (!matches(previous)) return is ? { type: "ADDED", object } : undefined;
  if (is) return { type: "MODIFIED", object };
  previous.metadata.resourceVersion = String(row.resourceVersion);
  return { type: "DELETED", object: previous };
}
