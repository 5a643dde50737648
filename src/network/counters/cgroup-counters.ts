import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { explain } from "../../base/errors.ts";
import { type BPF, bpf } from "../../host/bpf.ts";
import { cgroupV2Path } from "../../host/cgroups.ts";
import { trafficAttachType, trafficMapShape, trafficProgramName } from "../../host/traffic-map.ts";
import type { TrafficCounters } from "../types.ts";
import { trafficPrograms } from "./traffic-program.ts";

/**
 * Counters by BPF programs on the containers' control groups. Finds out once whether this machine can: the calls can
 * be made, cgroup version 2 is mounted and the kernel takes the programs (Linux 5.11, which is when memory of maps
 * stopped to be locked memory).
 */
export async function createCgroupCounters(): Promise<TrafficCounters> {
  const calls = await bpf();
  if (calls === undefined)
    return new NoCounters("bpf(2) can't be called: no koffi for this platform, or PEAPOD_NO_SYSTEM_CALLS=1");
  if (cgroupV2Path("") === undefined) return new NoCounters("no cgroup version 2 tree is mounted");
  try {
    withPrograms(calls, () => {});
    return new CgroupCounters(calls);
  } catch (error) {
    return new NoCounters(`the kernel refuses BPF programs on control groups: ${explain(error)}`);
  }
}

class CgroupCounters implements TrafficCounters {
  readonly #bpf: BPF;

  constructor(calls: BPF) {
    this.#bpf = calls;
  }

  available(): { ok: true } {
    return { ok: true };
  }

  install(cgroup: string): void {
    const folder = cgroupV2Path(cgroup) ?? cgroup;
    mkdirSync(folder, { recursive: true });
    withOpen(folder, (fd) => {
      const map = this.#bpf.attachedMap(fd, trafficAttachType, trafficProgramName);
      if (map !== undefined) this.#bpf.close(map);
      else this.#attach(fd);
    });
  }

  remove(cgroup: string): void {
    const folder = cgroupV2Path(cgroup) ?? cgroup;
    if (!existsSync(folder)) return;
    withOpen(folder, (fd) => {
      for (const { attachType } of trafficPrograms) this.#bpf.detach(fd, attachType, trafficProgramName);
    });
  }

  #attach(cgroup: number): void {
    withPrograms(this.#bpf, (programs) => {
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
  readonly attachType: (typeof trafficPrograms)[number]["attachType"];
}

/** Loads the programs with a map of their own, for the time of `action`; what it attached stays. */
function withPrograms(calls: BPF, action: (programs: readonly LoadedProgram[]) => void): void {
  const open: number[] = [];
  try {
    const map = calls.createHashMap(trafficProgramName, trafficMapShape);
    open.push(map);
    const programs = trafficPrograms.map((image) => {
      const fd = calls.loadProgram(trafficProgramName, image, map);
      open.push(fd);
      return { fd, attachType: image.attachType };
    });
    action(programs);
  } finally {
    for (const fd of open) calls.close(fd);
  }
}
