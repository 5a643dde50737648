import type { FileUse } from "./snapshot.ts";

/** How long a party that has a file open only for an instant is remembered. */
const rememberMilliseconds = 600_000;
/** A file that is replaced by rename(2) is another file under the same name: how many of them count. */
const namesakes = 4;
const maxUses = 500;

/** Who used which files of one pod lately: the last time of each file, container and way. */
export class FileUses {
  /** The oldest first. */
  readonly #uses = new Map<string, FileUse>();

  /** Remembers a use, and of the same container's older ones under the same name a few. */
  add(use: FileUse): void {
    const key = `${use.identity} ${use.container} ${use.access}`;
    const before = this.#uses.get(key);
    // A process that could be named says more than one that was gone.
    const { hostPID, pid, process } = use.process === undefined && before !== undefined ? before : use;
    this.#uses.delete(key);
    this.#uses.set(key, { ...use, hostPID, pid, process });
    const ofSameName = [...this.#uses].filter(
      ([, { label, container, access }]) =>
        label === use.label && container === use.container && access === use.access,
    );
    for (const [old] of ofSameName.slice(0, -namesakes)) this.#uses.delete(old);
  }

  /** Forgets what is long ago, and of too many uses the oldest, those of files that one container alone uses first. */
  expire(now: number): void {
    for (const [key, { at }] of this.#uses) if (now - at > rememberMilliseconds) this.#uses.delete(key);
    const byFile = Map.groupBy(this.#uses.values(), ({ identity }) => identity);
    const isShared = ({ identity }: FileUse) =>
      new Set(byFile.get(identity)?.map(({ container }) => container)).size > 1;
    const excess = Math.max(0, this.#uses.size - maxUses);
    const dispensable = [...this.#uses].toSorted(([, a], [, b]) => Number(isShared(a)) - Number(isShared(b)));
    for (const [key] of dispensable.slice(0, excess)) this.#uses.delete(key);
  }

  all(): FileUse[] {
    return [...this.#uses.values()];
  }
}
