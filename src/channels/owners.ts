import type { ObservedProcess } from "./snapshot.ts";

/** Which processes have a socket or pipe open, by its inode, which is unique on the whole machine. */
export class Owners {
  readonly #byInode = new Map<number, ObservedProcess[]>();

  constructor(processes: readonly ObservedProcess[], kind: "socket" | "pipe") {
    for (const process of processes) {
      for (const descriptor of process.descriptors) {
        if (descriptor.kind !== kind || descriptor.inode === undefined) continue;
        const owners = this.#byInode.get(descriptor.inode);
        if (owners === undefined) this.#byInode.set(descriptor.inode, [process]);
        else if (owners.at(-1) !== process) owners.push(process);
      }
    }
  }

  /** All of them, lowest host PID first. */
  all(inode: number): readonly ObservedProcess[] {
    return this.#byInode.get(inode) ?? [];
  }

  /**
   * The process that uses the socket: of several that inherited it the youngest, because a server that forks for
   * each connection leaves the work to the child.
   */
  user(inode: number): ObservedProcess | undefined {
    return this.#byInode.get(inode)?.at(-1);
  }

  /** The process that made the socket: of several that inherited it the oldest, as a server's first process is. */
  holder(inode: number): ObservedProcess | undefined {
    return this.#byInode.get(inode)?.[0];
  }
}
