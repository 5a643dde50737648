import { existsSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PeapodError, systemErrorCode } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { cgroupHierarchies, cgroupRoot, cgroupV1Path, cgroupV2Path } from "./cgroup-mode.ts";
import { isGone, readFileIfExists } from "./files.ts";
import { killUntilGone } from "./processes.ts";

export {
  type CgroupMode,
  cgroupHierarchies,
  cgroupMode,
  cgroupRoot,
  cgroupV1Path,
  cgroupV2Path,
} from "./cgroup-mode.ts";

/** PIDs in the cgroup and all cgroups below it, in any hierarchy; empty when there is no such cgroup. */
export function processesIn(cgroup: string, root = cgroupRoot): readonly number[] {
  return [
    ...new Set(cgroupHierarchies(root).flatMap((hierarchy) => processesBelow(join(hierarchy, cgroup)))),
  ];
}

/**
 * The same by a single hierarchy, which is a tenth of the work with version 1: each has all processes, unless somebody moved
 * one out of the cgroup there. Asks the version 2 tree, and all where
 * that has none.
 */
export function processesByOneHierarchy(cgroup: string, root = cgroupRoot): readonly number[] {
  const folder = cgroupV2Path(cgroup, root);
  const pids = folder === undefined ? [] : processesBelow(folder);
  return pids.length > 0 ? pids : processesIn(cgroup, root);
}

function processesBelow(folder: string): number[] {
  return cgroupTree(folder).flatMap((each) =>
    (readFileIfGiven(join(each, "cgroup.procs")) ?? "")
      .split("\n")
      .filter((line) => line !== "" && line !== "0")
      .map(Number),
  );
}

/** How many processes of the cgroup the kernel killed for want of memory; 0 when there is no such cgroup. */
export function outOfMemoryKills(cgroup: string, root = cgroupRoot): number {
  const v1 = cgroupV1Path(cgroup, "memory", root);
  const v2 = cgroupV2Path(cgroup, root);
  const files = [
    ...(v1 === undefined ? [] : [join(v1, "memory.oom_control")]),
    ...(v2 === undefined ? [] : [join(v2, "memory.events")]),
  ];
  return Math.max(
    0,
    ...files.map((file) => Number(/^oom_kill (\d+)$/m.exec(readFileIfGiven(file) ?? "")?.[1] ?? 0)),
  );
}

/**
 * SIGKILLs everything in the cgroup and below until nothing is left: at once through cgroup.kill where version 2
 * has it, process by process elsewhere. Done when there is no such cgroup. Throws Timeout when processes do not
 * die within ten seconds (uninterruptible sleep).
 */
export async function killAll(cgroup: string, scope: Scope, root = cgroupRoot): Promise<void> {
  const processes = () => {
    const unified = cgroupV2Path(cgroup, root);
    if (unified !== undefined) writeIfExists(join(unified, "cgroup.kill"), "1");
    return processesIn(cgroup, root);
  };
  await killUntilGone(processes, `cgroup ${cgroup}`, scope);
}

/**
 * Removes the cgroup and all below it from every hierarchy; done when there is none. Processes that are just
 * dying keep it busy for a moment, so it is tried for two seconds (by number: a machine that stands still must not use them
 * up); then throws SystemCallFailed.
 */
export async function removeCgroup(cgroup: string, scope: Scope, root = cgroupRoot): Promise<void> {
  for (let wait = 1, tries = 1; ; wait = Math.min(wait * 2, 50), tries += 1) {
    const busy = cgroupHierarchies(root).find((hierarchy) => !removeTree(join(hierarchy, cgroup)));
    if (busy === undefined) return;
    if (tries > 45) {
      throw new PeapodError("SystemCallFailed", `remove cgroup ${busy}${cgroup}: EBUSY`);
    }
    await scope.clock.sleep(wait, scope.signal);
  }
}

/**
 * Writes one file of a cgroup, in the version 2 tree or, with version 1, where `controller` is. A file that this
 * kernel or tree does not have is left out. Throws what write(2) says otherwise.
 */
export function writeCgroupSetting(
  cgroup: string,
  controller: string,
  file: string,
  value: string,
  root = cgroupRoot,
): void {
  const folder = cgroupV1Path(cgroup, controller, root) ?? cgroupV2Path(cgroup, root);
  if (folder !== undefined) writeIfExists(join(folder, file), value);
}

/** Whether any hierarchy has this cgroup. */
export function cgroupExists(cgroup: string, root = cgroupRoot): boolean {
  return cgroupHierarchies(root).some((hierarchy) => existsSync(join(hierarchy, cgroup)));
}

function removeTree(folder: string): boolean {
  for (const each of cgroupTree(folder).reverse()) {
    try {
      rmdirSync(each);
    } catch (error) {
      if (systemErrorCode(error) === "EBUSY") return false;
      if (!isGone(error)) throw error;
    }
  }
  return true;
}

/** The folder and all below it, parents first. */
export function cgroupTree(folder: string): string[] {
  const below = childCgroups(folder);
  return below === undefined ? [] : [folder, ...below.flatMap((name) => cgroupTree(join(folder, name)))];
}

/** Names of the cgroups directly below a cgroup's folder; undefined when it is not there. */
export function childCgroups(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** A cgroup may go between two looks (ENODEV), and a threaded one has no readable cgroup.procs (EOPNOTSUPP). */
function readFileIfGiven(path: string): string | undefined {
  try {
    return readFileIfExists(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENODEV" || code === "EOPNOTSUPP") return undefined;
    throw error;
  }
}

function writeIfExists(path: string, text: string): void {
  try {
    // No O_CREAT: a kernel without the file must not be asked to make it.
    writeFileSync(path, text, { flag: "r+" });
  } catch (error) {
    if (!isGone(error) && systemErrorCode(error) !== "ENODEV") throw error;
  }
}
