import { randomUUID } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { PeapodError } from "../base/errors.ts";
import type { KubernetesObject } from "../kube/types.ts";

/** A part of a list. */
export interface Page {
  readonly resourceVersion: string;
  readonly items: readonly KubernetesObject[];
  /** Set when more follows. */
  readonly continueToken?: string;
  readonly remaining: number;
}

interface Snapshot {
  readonly resourceVersion: string;
  readonly items: readonly KubernetesObject[];
  readonly takenAt: number;
}

const maximumSnapshots = 16;
const lifetimeMilliseconds = 5 * 60_000;

/**
 * Lists that clients read in parts (`limit` and `continue`). All parts show the one state that the first part
 * was taken from: it is kept for five minutes, the newest sixteen at most. After that the token is Expired
 * and the client starts over (https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks).
 */
export class ListPages {
  readonly #clock: Clock;
  readonly #snapshots = new Map<string, Snapshot>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The first `limit` objects of a list; keeps the list when there are more. */
  first(resourceVersion: string, items: readonly KubernetesObject[], limit: number): Page {
    if (limit <= 0 || items.length <= limit) return { resourceVersion, items, remaining: 0 };
    this.#forgetOld();
    const id = randomUUID();
    this.#snapshots.set(id, { resourceVersion, items, takenAt: this.#clock.now() });
    return this.#page(id, 0, limit);
  }

  /** The objects after those that came with `token`; the same token gives the same objects again. */
  next(token: string, limit: number): Page {
    const match = /^([0-9a-f-]{36})\.(\d{1,9})$/.exec(Buffer.from(token, "base64url").toString());
    if (match?.[1] === undefined) {
      throw new PeapodError("BadRequest", "continue key is not valid: it was not handed out by this server");
    }
    this.#forgetOld();
    return this.#page(match[1], Number(match[2]), limit);
  }

  #page(id: string, offset: number, limit: number): Page {
    const snapshot = this.#snapshots.get(id);
    if (snapshot === undefined) {
      throw new PeapodError(
        "Expired",
        "the provided continue parameter is too old to display a consistent list result; start a new list without the continue parameter",
      );
    }
    const { resourceVersion, items } = snapshot;
    const end = limit <= 0 ? items.length : Math.min(items.length, offset + limit);
    const page = { resourceVersion, items: items.slice(offset, end), remaining: items.length - end };
    if (page.remaining === 0) return page;
    return { ...page, continueToken: Buffer.from(`${id}.${end}`).toString("base64url") };
  }

  #forgetOld(): void {
    const ids = [...this.#snapshots.keys()];
    for (const [index, id] of ids.entries()) {
      const age = this.#clock.now() - (this.#snapshots.get(id)?.takenAt ?? 0);
      if (age > lifetimeMilliseconds || index <= ids.length - maximumSnapshots) this.#snapshots.delete(id);
    }
  }
}
