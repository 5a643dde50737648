import { closeSync } from "node:fs";
import { PeapodError } from "../base/errors.ts";
import type { AttachType, BPF, HashMapShape } from "./bpf.ts";
import { openIfExists } from "./files.ts";

/**
 * A BPF map in which containers' calls are counted: how it is found and read. `network` makes it and `channels` reads it, and
 * neither imports the other. Layouts are those of src/network/counters/*.bpf.c.
 */
export interface CounterMap {
  readonly shape: HashMapShape;
  /** What its programs and the map are called. */
  readonly name: string;
  /** Where the program is attached by which the map is found again. */
  readonly attachType: AttachType;
}

/**
 * A descriptor of the map into which the programs on a control group (its folder) count; undefined where there is none, or
 * the kernel is too old for programs in such a place.
 */
export function attachedCounterMap(
  bpf: BPF,
  folder: string,
  { attachType, name }: CounterMap,
): number | undefined {
  const cgroup = openIfExists(folder);
  if (cgroup === undefined) return undefined;
  try {
    return bpf.attachedMap(cgroup, attachType, name);
  } catch (error) {
    const { errno } = (error instanceof PeapodError ? error.details : {}) as { errno?: string };
    if (errno === "EINVAL") return undefined;
    throw error;
  } finally {
    closeSync(cgroup);
  }
}
