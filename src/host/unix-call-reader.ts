import { statSync } from "node:fs";
import type { BPF } from "./bpf.ts";
import { cgroupTree, cgroupV2Path } from "./cgroups.ts";
import { attachedCounterMap } from "./counter-maps.ts";
import { type UnixCall, unixCall, unixCallMap } from "./unix-call.ts";

/** A container that calls more names than that has the rest start anew, so that there is room for the others. */
const crowded = 1_000;

/**
 * Reads the calls of Unix sockets of all containers. They are in one map, or in as many as daemons installed counters for
 * containers that run. Keeps the maps open until {@link close}.
 */
export class UnixCallReader {
  readonly #bpf: BPF;
  /** Descriptors by the map's ID. */
  readonly #maps = new Map<number, number>();
  /** By container's control group: its inode, and the map that it counts into. */
  readonly #containers = new Map<string, { readonly inode: number; readonly map: number | undefined }>();
  /** Which container's a control group is, by inode: the container's own, and those that are made below it. */
  readonly #owners = new Map<bigint, string>();

  constructor(bpf: BPF) {
    this.#bpf = bpf;
  }

  /**
   * By each of these containers' control groups (named below every hierarchy's mount): its calls since its counters were
   * installed. Calls of all other control groups are forgotten. Throws SystemCallFailed when a map can't be read.
   */
  read(cgroups: readonly string[]): Map<string, UnixCall[]> {
    this.#follow(cgroups);
    const calls = new Map<string, UnixCall[]>(cgroups.map((cgroup) => [cgroup, []]));
    let searched = false;
    for (const map of this.#maps.values()) {
      const forgotten: Buffer[] = [];
      for (const element of this.#bpf.elements(map, unixCallMap.shape)) {
        const call = unixCall(element);
        if (call === undefined) continue;
        if (!this.#owners.has(call.cgroup) && !searched) {
          this.#search(cgroups);
          searched = true;
        }
        const own = calls.get(this.#owners.get(call.cgroup) ?? "");
        own?.push(call);
        if (own === undefined || own.length > crowded) forgotten.push(element);
      }
      this.#bpf.deleteElements(map, unixCallMap.shape, forgotten);
    }
    return calls;
  }

  /** Idempotent; a later read opens them again. */
  close(): void {
    for (const map of this.#maps.values()) this.#bpf.close(map);
    this.#maps.clear();
    this.#containers.clear();
    this.#owners.clear();
  }

  #follow(cgroups: readonly string[]): void {
    const present = new Set(cgroups);
    for (const cgroup of this.#containers.keys()) if (!present.has(cgroup)) this.#containers.delete(cgroup);
    for (const [inode, cgroup] of this.#owners) if (!present.has(cgroup)) this.#owners.delete(inode);
    for (const cgroup of cgroups) {
      const folder = cgroupV2Path(cgroup);
      const inode = folder === undefined ? undefined : statSync(folder, { throwIfNoEntry: false })?.ino;
      const known = this.#containers.get(cgroup);
      // Counters may come later than the container.
      const isKnown = known?.inode === inode && known?.map !== undefined;
      if (folder === undefined || inode === undefined || isKnown) continue;
      this.#containers.set(cgroup, { inode, map: this.#open(folder) });
    }
    const used = new Set([...this.#containers.values()].map(({ map }) => map));
    for (const [id, map] of this.#maps) {
      if (used.has(id)) continue;
      this.#bpf.close(map);
      this.#maps.delete(id);
    }
  }

  #open(folder: string): number | undefined {
    const map = attachedCounterMap(this.#bpf, folder, unixCallMap);
    if (map === undefined) return undefined;
    const id = this.#bpf.mapID(map);
    if (this.#maps.has(id)) this.#bpf.close(map);
    else this.#maps.set(id, map);
    return id;
  }

  #search(cgroups: readonly string[]): void {
    for (const cgroup of cgroups) {
      for (const folder of cgroupTree(cgroupV2Path(cgroup) ?? "")) {
        const inode = statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino;
        if (inode !== undefined) this.#owners.set(inode, cgroup);
      }
    }
  }
}
