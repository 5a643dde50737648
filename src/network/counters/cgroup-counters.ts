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

/** Programs that count into one map. The map is found again by the first of them. */
interface Counters {
  readonly map: CounterMap;
  readonly programs: readonly ProgramImage[];
}

/** Each container has them for itself: what it has counted goes with its control group. */
const traffic: Counters = { map: trafficMap, programs: trafficPrograms };
/** All containers have the same: the kernel takes milliseconds to verify them. Linux 6.7. */
const unixCalls: Counters = { map: unixCallMap, programs: unixPrograms };

/**
 * Counters by BPF programs on the containers' control groups. Finds out once whether this machine can: the calls can
 * be made, cgroup version 2 is mounted and the kernel takes the programs (Linux 5.11, which is when memory of maps
 * stopped to be locked memory). Calls of Unix sockets are counted where the kernel takes those programs, too; these are loaded
 * after `unixDelay` milliseconds, so that whoever waits for the daemon's start, or for a first container, does not wait for them.
 */
export async function createCgroupCounters({ unixDelay = 1_000 } = {}): Promise<TrafficCounters> {
  const calls = await bpf();
  if (calls === undefined)
    return new NoCounters("bpf(2) can't be called: no koffi for this platform, or PEAPOD_NO_SYSTEM_CALLS=1");
  if (cgroupV2Path("") === undefined) return new NoCounters("no cgroup version 2 tree is mounted");
  try {
    for (const fd of load(calls, traffic).open) calls.close(fd);
  } catch (error) {
    return new NoCounters(`the kernel refuses BPF programs on control groups: ${explain(error)}`);
  }
  const counters = new CgroupCounters(calls);
  if (unixDelay === 0) counters.countUnixCalls();
  else setTimeout(() => counters.countUnixCalls(), unixDelay).unref();
  return counters;
}

/** Undefined where the kernel does not take them. */
function loadIfTaken(calls: BPF, counters: Counters): Loaded | undefined {
  try {
    return load(calls, counters);
  } catch {
    return undefined;
  }
}

class CgroupCounters implements TrafficCounters {
  readonly #bpf: BPF;
  #unixCalls: Loaded | undefined;
  /** Folders of control groups where counters were installed before {@link countUnixCalls}; undefined since. */
  #early: Set<string> | undefined = new Set();

  constructor(calls: BPF) {
    this.#bpf = calls;
  }

  /** Counts calls of Unix sockets from now on, also in control groups where counters are installed already. */
  countUnixCalls(): void {
    this.#unixCalls = loadIfTaken(this.#bpf, unixCalls);
    const early = [...(this.#early ?? [])].filter((folder) => existsSync(folder));
    this.#early = undefined;
    for (const folder of early) withOpen(folder, (fd) => this.#installUnix(fd));
  }

  available(): { ok: true } {
    return { ok: true };
  }

  install(cgroup: string): void {
    const folder = cgroupV2Path(cgroup) ?? cgroup;
    mkdirSync(folder, { recursive: true });
    withOpen(folder, (fd) => {
      if (!this.#isInstalled(fd, traffic)) {
        const loaded = load(this.#bpf, traffic);
        try {
          this.#attach(fd, loaded);
        } finally {
          for (const each of loaded.open) this.#bpf.close(each);
        }
      }
      if (this.#early === undefined) this.#installUnix(fd);
      else this.#early.add(folder);
    });
  }

  remove(cgroup: string): void {
    const folder = cgroupV2Path(cgroup) ?? cgroup;
    this.#early?.delete(folder);
    if (!existsSync(folder)) return;
    withOpen(folder, (fd) => {
      for (const { map, programs } of this.#unixCalls === undefined ? [traffic] : [traffic, unixCalls]) {
        for (const { attachType } of programs) this.#bpf.detach(fd, attachType, map.name);
      }
    });
  }

  #installUnix(cgroup: number): void {
    if (this.#unixCalls === undefined || this.#isInstalled(cgroup, unixCalls)) return;
    this.#attach(cgroup, this.#unixCalls);
  }

  #isInstalled(cgroup: number, { map: { attachType, name } }: Counters): boolean {
    const map = this.#bpf.attachedMap(cgroup, attachType, name);
    if (map !== undefined) this.#bpf.close(map);
    return map !== undefined;
  }

  #attach(cgroup: number, { programs }: Loaded): void {
    // The one by which the map is found comes last: who dies before it attaches all of them anew.
    for (const { fd, attachType } of programs.toReversed()) this.#bpf.attach(cgroup, fd, attachType);
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

/** Programs in the kernel, which stay there as long as they are open or attached. */
interface Loaded {
  readonly programs: readonly { readonly fd: number; readonly attachType: ProgramImage["attachType"] }[];
  /** All descriptors: those of the programs, and the map's. */
  readonly open: readonly number[];
}

/** Loads programs with a map of their own. */
function load(calls: BPF, { map: { name, shape }, programs }: Counters): Loaded {
  const open: number[] = [];
  try {
    const map = calls.createHashMap(name, shape);
    open.push(map);
    const loaded = programs.map((image) => {
      const fd = calls.loadProgram(name, image, map);
      open.push(fd);
      return { fd, attachType: image.attachType };
    });
    return { programs: loaded, open };
  } catch (error) {
    for (const fd of open) calls.close(fd);
    throw error;
  }
}
