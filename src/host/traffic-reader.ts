import { statSync } from "node:fs";
import { join } from "node:path";
import type { BPF } from "./bpf.ts";
import { cgroupV2Path, childCgroups } from "./cgroups.ts";
import { attachedCounterMap } from "./counter-maps.ts";
import { type TrafficCount, trafficCount, trafficMap } from "./traffic-count.ts";

/** A container that calls that many addresses has its counts start anew, before the map takes no more. */
const crowded = trafficMap.shape.maxEntries / 2;

/** Reads the traffic counters of one pod's containers. Keeps their maps open until {@link close}. */
export class TrafficReader {
  readonly #bpf: BPF;
  /** By container, with the inode of its control group. */
  readonly #maps = new Map<string, { readonly inode: number; readonly fd: number }>();

  constructor(bpf: BPF) {
    this.#bpf = bpf;
  }

  /**
   * The counters of all containers whose control groups are below `cgroup`, also of those that have ended, and which
   * containers are counted. Counts begin anew where they have become too many. Throws SystemCallFailed when a map
   * can't be read.
   */
  read(cgroup: string): { readonly counts: TrafficCount[]; readonly counted: ReadonlySet<string> } {
    const folder = cgroupV2Path(cgroup);
    const present = new Set(folder === undefined ? [] : childCgroups(folder));
    for (const name of this.#maps.keys()) if (!present.has(name)) this.#forget(name);
    const counts: TrafficCount[] = [];
    for (const container of present) {
      const map = this.#map(container, join(folder ?? "", container));
      if (map === undefined) continue;
      const found = this.#bpf.elements(map, trafficMap.shape).flatMap((element) => {
        const count = trafficCount(container, element);
        return count === undefined ? [] : [{ element, count }];
      });
      for (const { count } of found) counts.push(count);
      if (found.length < crowded) continue;
      const elements = found.map(({ element }) => element);
      this.#bpf.deleteElements(map, trafficMap.shape, elements);
    }
    return { counts, counted: new Set(this.#maps.keys()) };
  }

  /** Idempotent; a later read opens them again. */
  close(): void {
    for (const name of [...this.#maps.keys()]) this.#forget(name);
  }

  #map(container: string, folder: string): number | undefined {
    const inode = statSync(folder, { throwIfNoEntry: false })?.ino;
    const known = this.#maps.get(container);
    if (known !== undefined && known.inode === inode) return known.fd;
    this.#forget(container);
    const fd = inode === undefined ? undefined : attachedCounterMap(this.#bpf, folder, trafficMap);
    if (inode !== undefined && fd !== undefined) this.#maps.set(container, { inode, fd });
    return fd;
  }

  #forget(container: string): void {
    const known = this.#maps.get(container);
    if (known !== undefined) this.#bpf.close(known.fd);
    this.#maps.delete(container);
  }
}
