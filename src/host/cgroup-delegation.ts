import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { cgroupHierarchies, cgroupMode, cgroupRoot } from "./cgroup-mode.ts";

/**
 * Makes a cgroup that limits what is in it and whose children limit what is in them, in every hierarchy; its parents
 * too. With version 2 alone, each controller that the machine has is handed down from the root to the children of
 * `cgroup`, because a cgroup has only the files of what its parent handed down ("Enabling and Disabling",
 * https://docs.kernel.org/admin-guide/cgroup-v2.html). No process may be in `cgroup` itself then. A controller that
 * can't be handed down (one that another user holds back) is logged and left out. Idempotent.
 */
export function makeCgroup(cgroup: string, scope: Scope, root = cgroupRoot): void {
  for (const hierarchy of cgroupHierarchies(root)) mkdirSync(join(hierarchy, cgroup), { recursive: true });
  if (cgroupMode(root) !== "unified") return;
  for (const each of fromTheRoot(cgroup)) handDown(join(root, each), scope);
}

function handDown(folder: string, scope: Scope): void {
  const handedDown = join(folder, "cgroup.subtree_control");
  const already = new Set(words(handedDown));
  // One by one: the kernel takes all of a write or nothing.
  for (const controller of words(join(folder, "cgroup.controllers"))) {
    if (already.has(controller)) continue;
    try {
      writeFileSync(handedDown, `+${controller}`, { flag: "r+" });
    } catch (error) {
      scope.log.warn({ folder, controller, error: explain(error) }, "cgroup controller is not handed down");
    }
  }
}

/** `/a/b` → `/`, `/a`, `/a/b`. */
function fromTheRoot(cgroup: string): string[] {
  const parent = dirname(cgroup);
  return parent === cgroup ? [cgroup] : [...fromTheRoot(parent), cgroup];
}

function words(file: string): string[] {
  return readFileSync(file, "utf8").split(/\s+/).filter(Boolean);
}
