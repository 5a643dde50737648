import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { explain } from "../../base/errors.ts";
import { type BPF, bpf, type ProgramImage } from "../../host/bpf.ts";
import { cgroupV2Path } from "../../host/cgroups.ts";
import type { CounterMap } from "../../host/counter-maps.ts";
import { trafficMap } from "../../host/traffic-count.ts";
import { unixCallMap } from "../../host/unix-call.ts";
import type { TrafficCounters } from "../types.ts";
import { trafficPrograms } from "./traffic-program.ts";
import { unixPrograms } from "./unix-program.ts";

/** One map, and the programs that count into it. The map is found again by the first program. */
interface Counters {
  readonly map: CounterMap;
  readonly programs: readonly ProgramImage[];
}

const traffic: Counters = { map: trafficMap, programs: trafficPrograms };
/** Linux 6.7. */
const unixCalls: Counters = { map: unixCallMap, programs: unixPrograms };

/**
 * Counters by BPF programs on the containers' control groups. Finds out once whether this machine can: the calls can
 * be made, cgroup version 2 is mounted and the kernel takes the programs (Linux 5.11, which is when memory of maps
 * stopped to be locked memory). Calls of Unix sockets are counted where the kernel takes those programs, too.
 */
export async function createCgroupCounters(): Promise<TrafficCounters> {
  const calls = await bpf();
  if (calls === undefined)
    return new NoCounters("bpf(2) can't be called: no koffi for this platform, or PEAPOD_NO_SYSTEM_CALLS=1");
  if (cgroupV2Path("") === undefined) return new NoCounters("no cgroup version 2 tree is mounted");
  try {
    withPrograms(calls, traffic, () => {});
  } catch (error) {
    return new NoCounters(`the kernel refuses BPF programs on control groups: ${explain(error)}`);
  }
  try {
    withPrograms(calls, unixCalls, () => {});
    return new CgroupCounters(calls, [traffic, unixCalls]);
  } catch {
    return new CgroupCounters(calls, [traffic]);
  }
}

class CgroupCounters implements TrafficCounters {
  readonly #bpf: BPF;
  readonly #counters: readonly Counters[];

  constructor(calls: BPF, counters: readonly Counters[]) {
    this.#bpf = calls;
    this.#counters = counters;
  }

  available(): { ok: true } {
    return { ok: true };
  }

  install(cgroup: string): void {
    const folder = cgroupV2Path(cgroup) ?? cgroup;
    mkdirSync(folder, { recursive: true });
    withOpen(folder, (fd) => {
      for (const counters of this.#counters) {
        const map = this.#bpf.attachedMap(fd, counters.map.attachType, counters.map.name);
        if (map !== undefined) this.#bpf.close(map);
        else this.#attach(fd, counters);
      }
    });
  }

  remove(cgroup: string): void {
    const folder = cgroupV2Path(cgroup) ?? cgroup;
    if (!existsSync(folder)) return;
    withOpen(folder, (fd) => {
      for (const { map, programs } of this.#counters) {
        for (const { attachType } of programs) this.#bpf.detach(fd, attachType, map.name);
      }
    });
  }

  #attach(cgroup: number, counters: Counters): void {
    withPrograms(this.#bpf, counters, (programs) => {
      // The one by which the map is found comes last: who dies before it attaches all of them anew.
      for (const { fd, attachType } of programs.toReversed()) this.#bpf.attach(cgroup, fd, attachType);
    });
  }
}

class NoCounters implements TrafficCounters {
  readonly #reason: string;

  constructor(reason: string) {
    this.#reason = reason;
  }

  available(): { ok: false; reason: string } {
    return { ok: false, reason: this.#reason };
  }

  install(): void {}

  remove(): void {}
}

function withOpen(folder: string, action: (fd: number) => void): void {
  const fd = openSync(folder, "r");
  try {
    action(fd);
  } finally {
    closeSync(fd);
  }
}

interface LoadedProgram {
  readonly fd: number;
  readonly attachType: ProgramImage["attachType"];
}

/** Loads the programs with a map of their own, for the time of `action`; what it attached stays. */
function withPrograms(
  calls: BPF,
  { map: { name, shape }, programs }: Counters,
  action: (programs: readonly LoadedProgram[]) => void,
): void {
  const open: number[] = [];
  try {
    const map = calls.createHashMap(name, shape);
    open.push(map);
    const loaded = programs.map((image) => {
      const fd = calls.loadProgram(name, image, map);
      open.push(fd);
      return { fd, attachType: image.attachType };
    });
    action(loaded);
  } finally {
    for (const fd of open) calls.close(fd);
  }
}
