import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { explain, systemErrorCode } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { cgroupMode, cgroupRoot, unifiedControllers } from "./cgroup-mode.ts";
import { removeIfEmpty } from "./files.ts";
import { listMounts, mount, unmountIdle, visibleMounts } from "./mounts.ts";

/**
 * The source of every hierarchy that a Peapod process mounted, as mountinfo shows it: whichever of them goes last
 * unmounts it, and a hierarchy that somebody else mounted is never touched.
 */
const mountSource = "peapod";

/** Hierarchies that stay mounted while this process lives, or until they are released. */
export interface HeldCgroups {
  /**
   * Gives them up and unmounts those that Peapod mounted and nobody uses: another Peapod process holds its folder
   * open, containers have cgroups in it. Idempotent.
   */
  release(scope: Scope): Promise<void>;
}

/**
 * Makes the control groups fit for crun. On a hybrid machine crun refuses to work while the version 2 tree owns
 * a controller; each such controller is given back to version 1 by mounting it at `/sys/fs/cgroup/NAME`. A
 * controller that version 2 already uses cannot be moved: that is logged, and runc remains. Does nothing
 * elsewhere.
 *
 * Every process that needs the mounts holds their folders open, so that no other can unmount them (umount2(2),
 * EBUSY). The kernel closes what a killed one held, and the next one takes over its mounts. `wanted`, for tests, names
 * the hierarchies that are still to be mounted, as `cpu,cpuacct`.
 */
export async function holdCgroups(scope: Scope, wanted = hierarchiesToMount): Promise<HeldCgroups> {
  const descriptors: number[] = [];
  const closeAll = () => {
    for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
  };
  const tried = new Set<string>();
  for (let missing = [""]; missing.length > 0 && cgroupMode() === "hybrid"; ) {
    closeAll();
    descriptors.push(...mountsOfPeapod().flatMap((target) => openFolder(target) ?? []));
    // Looked for only now: until its folder was held, another process could unmount what was there.
    missing = wanted().filter((controllers) => !tried.has(controllers));
    for (const controllers of missing) {
      if (!(await mountHierarchy(controllers, scope))) tried.add(controllers);
    }
  }
  return {
    async release(releaseScope) {
      closeAll();
      for (const target of mountsOfPeapod()) await unmountUnused(target, releaseScope);
    },
  };
}

/** Controllers that a version 2 tree can own (https://docs.kernel.org/admin-guide/cgroup-v2.html#controllers). */
const versionTwoControllers = ["cpu", "cpuset", "io", "memory", "pids", "hugetlb", "rdma", "misc", "dmem"];

/**
 * Controllers that version 2 owns, and hierarchies of such controllers that are mounted nowhere: the kernel gives such
 * a one to version 2 a moment after its last unmount, or keeps it for the cgroups in it.
 */
function hierarchiesToMount(): string[] {
  const mounts = visibleMounts(listMounts()).filter(({ type }) => type === "cgroup");
  const mounted = new Set(mounts.flatMap(({ superOptions }) => superOptions));
  const movable = versionTwoControllers.map(versionOneName);
  const unmounted = readHierarchies().filter((hierarchy) => {
    const controllers = hierarchy.split(",");
    return controllers.every((name) => movable.includes(name) && !mounted.has(name));
  });
  return [...unifiedControllers().map(versionOneName), ...unmounted];
}

/** The controllers of every version 1 hierarchy, as `cpu,cpuacct` (cgroups(7), /proc/cgroups). */
function readHierarchies(): readonly string[] {
  const rows = readFileSync("/proc/cgroups", "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/\s+/));
  const versionOne = rows.filter(([, hierarchy]) => hierarchy !== "0");
  return [...Map.groupBy(versionOne, ([, hierarchy]) => hierarchy).values()].map((group) =>
    group.map(([name]) => name).join(","),
  );
}

/** False when the kernel refuses. */
async function mountHierarchy(controllers: string, scope: Scope): Promise<boolean> {
  const target = join(cgroupRoot, controllers);
  const options = ["nosuid", "nodev", "noexec", ...controllers.split(",")];
  const made = mkdirSync(target, { recursive: true });
  try {
    await mount({ type: "cgroup", source: mountSource, target, options }, scope);
    return true;
  } catch (error) {
    scope.signal.throwIfAborted();
    scope.log.warn({ controllers, error: explain(error) }, "cgroup controllers stay with version 2");
    if (made !== undefined) removeIfEmpty(made);
    return false;
  }
}

/** Mount points where what a path finds is a mount of Peapod's own. */
function mountsOfPeapod(): string[] {
  return visibleMounts(listMounts())
    .filter(
      ({ type, source, target }) =>
        type === "cgroup" && source === mountSource && dirname(target) === cgroupRoot,
    )
    .map(({ target }) => target);
}

function openFolder(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** How often, and how long each time, the kernel is waited for to dissolve a hierarchy: it takes milliseconds. */
const dissolveWaits = [2, 5, 10, 20, 50, 100, 200, 400];

/**
 * Unmounts all of Peapod's mounts there (processes that started at once stack theirs) and removes the folder, in which
 * crun would make plain folders for cgroups. Not while the hierarchy is mounted elsewhere: removing a folder undoes
 * what another mount namespace has mounted on it (rmdir(2), mount_namespaces(7)).
 */
async function unmountUnused(target: string, scope: Scope): Promise<void> {
  while (mountsOfPeapod().includes(target)) {
    const hasCgroups = readdirSync(target, { withFileTypes: true }).some((entry) => entry.isDirectory());
    if (hasCgroups || !(await unmountIdle(target, scope))) return;
  }
  for (const wait of dissolveWaits) {
    if (!readHierarchies().includes(basename(target))) return removeIfEmpty(target);
    await scope.clock.sleep(wait, scope.signal);
  }
}

/** Version 2 renamed one controller (https://docs.kernel.org/admin-guide/cgroup-v2.html#io). */
function versionOneName(controller: string): string {
  return controller === "io" ? "blkio" : controller;
}
