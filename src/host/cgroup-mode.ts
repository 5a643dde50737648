import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Where control groups are (cgroups(7)). A cgroup is named by its path below every hierarchy's mount, such as
 * `/peapod/podUID/name/0`. `root` is a parameter for tests; everybody else leaves it out.
 */

export const cgroupRoot = "/sys/fs/cgroup";

/** `unified`: version 2 alone; `hybrid`: version 1 with a version 2 tree beside it; `legacy`: version 1 alone. */
export type CgroupMode = "unified" | "hybrid" | "legacy";

export function cgroupMode(root = cgroupRoot): CgroupMode {
  if (existsSync(join(root, "cgroup.controllers"))) return "unified";
  return existsSync(join(root, "unified", "cgroup.controllers")) ? "hybrid" : "legacy";
}

/** The mount point of every hierarchy, without the symbolic links that name one twice. */
export function cgroupHierarchies(root = cgroupRoot): readonly string[] {
  if (cgroupMode(root) === "unified") return [root];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, "cgroup.procs")))
    .map((entry) => join(root, entry.name));
}

/** The cgroup's folder in the version 2 tree, whether it exists or not; undefined where there is no such tree. */
export function cgroupV2Path(cgroup: string, root = cgroupRoot): string | undefined {
  const mode = cgroupMode(root);
  if (mode === "legacy") return undefined;
  return join(mode === "unified" ? root : join(root, "unified"), cgroup);
}

/** The cgroup's folder in the hierarchy that has this controller of version 1; undefined with version 2 alone. */
export function cgroupV1Path(cgroup: string, controller: string, root = cgroupRoot): string | undefined {
  return cgroupMode(root) === "unified" ? undefined : join(root, controller, cgroup);
}

/** Controllers that the version 2 tree owns. */
export function unifiedControllers(root = cgroupRoot): readonly string[] {
  const folder = cgroupV2Path("", root);
  if (folder === undefined) return [];
  return readFileSync(join(folder, "cgroup.controllers"), "utf8")
    .trim()
    .split(" ")
    .filter((word) => word !== "");
}
