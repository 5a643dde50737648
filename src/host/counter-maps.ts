import { closeSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AttachType, BPF, HashMapShape } from "./bpf.ts";
import { cgroupV2Path, childCgroups } from "./cgroups.ts";
import { isGone } from "./files.ts";

/**
 * The BPF maps in which a container's calls are counted: how they are found and read. `network` makes them and `channels`
 * reads them, and neither imports the other. Layouts are those of src/network/counters/*.bpf.c.
 */
export interface CounterMap {
  readonly shape: HashMapShape;
  /** What its programs and the map are called. */
  readonly name: string;
  /** Where the program is attached by which the map is found again. */
  readonly attachType: AttachType;
}

/** Reads one kind of counters of one pod's containers. Keeps their maps open until {@link close}. */
export class CounterReader<Count> {
  readonly #bpf: BPF;
  readonly #map: CounterMap;
  readonly #parse: (container: string, element: Buffer) => Count | undefined;
  /** By container, with the inode of its control group. */
  readonly #open = new Map<string, { readonly inode: number; readonly fd: number }>();

  /** `parse` gives undefined for what the programs only note for themselves. */
  constructor(bpf: BPF, map: CounterMap, parse: (container: string, element: Buffer) => Count | undefined) {
    this.#bpf = bpf;
    this.#map = map;
    this.#parse = parse;
  }

  /**
   * The counters of all containers whose control groups are below `cgroup`, also of those that have ended, and which
   * containers are counted. Counts of a container begin anew when its map is half full, before it takes no more. Throws
   * SystemCallFailed when a map can't be read.
   */
  read(cgroup: string): { readonly counts: Count[]; readonly counted: ReadonlySet<string> } {
    const { shape } = this.#map;
    const folder = cgroupV2Path(cgroup);
    const present = new Set(folder === undefined ? [] : childCgroups(folder));
    for (const name of this.#open.keys()) if (!present.has(name)) this.#forget(name);
    const counts: Count[] = [];
    for (const container of present) {
      const map = this.#mapOf(container, join(folder ?? "", container));
      if (map === undefined) continue;
      const found = this.#bpf.elements(map, shape).flatMap((element) => {
        const count = this.#parse(container, element);
        return count === undefined ? [] : [{ element, count }];
      });
      for (const { count } of found) counts.push(count);
      if (found.length < shape.maxEntries / 2) continue;
      const elements = found.map(({ element }) => element);
      this.#bpf.deleteElements(map, shape, elements);
    }
    return { counts, counted: new Set(this.#open.keys()) };
  }

  /** Idempotent; a later read opens them again. */
  close(): void {
    for (const name of [...this.#open.keys()]) this.#forget(name);
  }

  #mapOf(container: string, folder: string): number | undefined {
    const inode = statSync(folder, { throwIfNoEntry: false })?.ino;
    const known = this.#open.get(container);
    if (known !== undefined && known.inode === inode) return known.fd;
    this.#forget(container);
    const fd = inode === undefined ? undefined : this.#openMap(folder);
    if (inode !== undefined && fd !== undefined) this.#open.set(container, { inode, fd });
    return fd;
  }

  #openMap(folder: string): number | undefined {
    const cgroup = openIfThere(folder);
    if (cgroup === undefined) return undefined;
    try {
      return this.#bpf.attachedMap(cgroup, this.#map.attachType, this.#map.name);
    } finally {
      closeSync(cgroup);
    }
  }

  #forget(container: string): void {
    const known = this.#open.get(container);
    if (known !== undefined) this.#bpf.close(known.fd);
    this.#open.delete(container);
  }
}

function openIfThere(folder: string): number | undefined {
  try {
    return openSync(folder, "r");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
