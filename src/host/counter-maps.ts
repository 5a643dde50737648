import { closeSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AttachType, BPF, HashMapShape } from "./bpf.ts";
import { cgroupV2Path, childCgroups } from "./cgroups.ts";
import { isGone } from "./files.ts";
import { normalizeAddress } from "./sockets.ts";

/**
 * The BPF map in which a container's traffic is counted: how it is found and read. `network` makes it and `channels`
 * reads it, and neither imports the other. The layout is that of src/network/counters/traffic.bpf.c.
 */
export const trafficMapShape: HashMapShape = { keySize: 20, valueSize: 32, maxEntries: 4096 };

/** What the programs are called, and where the one is attached by which the map is found again. */
export const trafficProgramName = "peapod_traffic";
export const trafficAttachType: AttachType = "sockOps";

/**
 * What a container did with one remote address and port since its counters were installed. `Called`: TCP servers that
 * it connected to; `Accepted`: TCP connections from outside of its network namespace, by the caller's address and
 * the container's port; `Sent`: UDP datagrams of sockets that are not connected; `Answered`: UDP datagrams that it
 * received by a call that asks where they come from; `Connected`: UDP sockets that were connected there and have been closed,
 * whether they sent anything or not.
 */
export interface TrafficCount {
  readonly kind: "Called" | "Accepted" | "Sent" | "Answered" | "Connected";
  readonly container: string;
  readonly address: string;
  readonly port: number;
  /** To connect, whether they succeeded or not. */
  readonly attempts: number;
  /** Connections made, datagrams, or sockets. */
  readonly count: number;
  /** Payload in bytes of those connections that have ended. */
  readonly sent: number;
  readonly received: number;
}

/** A container that calls that many addresses has its counts start anew, before the map takes no more. */
const crowded = trafficMapShape.maxEntries / 2;

const kinds: Readonly<Record<number, TrafficCount["kind"]>> = {
  1: "Called",
  2: "Accepted",
  3: "Sent",
  4: "Answered",
  5: "Connected",
};

/** Reads the counters of one pod's containers. Keeps their maps open until {@link close}. */
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
      const found = this.#bpf.elements(map, trafficMapShape).flatMap((element) => {
        const count = trafficCount(container, element);
        return count === undefined ? [] : [{ element, count }];
      });
      for (const { count } of found) counts.push(count);
      if (found.length < crowded) continue;
      const elements = found.map(({ element }) => element);
      this.#bpf.deleteElements(map, trafficMapShape, elements);
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
    const fd = inode === undefined ? undefined : this.#open(folder);
    if (inode !== undefined && fd !== undefined) this.#maps.set(container, { inode, fd });
    return fd;
  }

  #open(folder: string): number | undefined {
    const cgroup = openIfThere(folder);
    if (cgroup === undefined) return undefined;
    try {
      return this.#bpf.attachedMap(cgroup, trafficAttachType, trafficProgramName);
    } finally {
      closeSync(cgroup);
    }
  }

  #forget(container: string): void {
    const known = this.#maps.get(container);
    if (known !== undefined) this.#bpf.close(known.fd);
    this.#maps.delete(container);
  }
}

/** One element of the map; undefined for what the programs only note for themselves. */
export function trafficCount(container: string, element: Buffer): TrafficCount | undefined {
  const kind = kinds[element.readUInt8(18)];
  if (kind === undefined) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => element.readUInt16BE(index * 2).toString(16));
  const number = (index: number) => Number(element.readBigUInt64LE(trafficMapShape.keySize + index * 8));
  return {
    kind,
    container,
    address: normalizeAddress(groups.join(":")),
    port: element.readUInt16LE(16),
    attempts: number(0),
    count: number(1),
    sent: number(2),
    received: number(3),
  };
}

function openIfThere(folder: string): number | undefined {
  try {
    return openSync(folder, "r");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
