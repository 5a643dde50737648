import { mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { explain } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { cgroupMode, cgroupRoot, unifiedControllers } from "./cgroup-mode.ts";
import { readFileIfExists, writeFileAtomically } from "./files.ts";
import type { Layout } from "./layout.ts";
import { isMounted, mount, unmount } from "./mounts.ts";

/** The file that names the hierarchies this node mounted, one path a line. */
function mountedFile(layout: Layout): string {
  return join(layout.runDir, "cgroup-mounts");
}

/**
 * Makes the control groups fit for crun. On a hybrid machine crun refuses to work while the version 2 tree owns
 * a controller; each such controller is given back to version 1 by mounting it at `/sys/fs/cgroup/NAME`. A
 * controller that version 2 already uses cannot be moved: that is logged, and runc remains. Does nothing
 * elsewhere. Idempotent; {@link releaseCgroups} undoes it.
 */
export async function prepareCgroups(layout: Layout, scope: Scope): Promise<void> {
  if (cgroupMode() !== "hybrid") return;
  const mounted = new Set(mountedByNode(layout));
  for (const controller of unifiedControllers()) {
    const target = join(cgroupRoot, versionOneName(controller));
    mkdirSync(target, { recursive: true });
    if (isMounted(target)) continue;
    mounted.add(target);
    mkdirSync(layout.runDir, { recursive: true, mode: 0o700 });
    writeFileAtomically(mountedFile(layout), [...mounted].join("\n"));
    try {
      const options = ["nosuid", "nodev", "noexec", versionOneName(controller)];
      await mount({ type: "cgroup", source: "cgroup", target, options }, scope);
    } catch (error) {
      scope.log.warn({ controller, error: explain(error) }, "cgroup controller stays with version 2");
      rmdirSync(target);
    }
  }
}

/** Unmounts what {@link prepareCgroups} mounted, unless another's cgroups are in it by now. Idempotent. */
export async function releaseCgroups(layout: Layout, scope: Scope): Promise<void> {
  const kept: string[] = [];
  for (const target of mountedByNode(layout)) {
    if (!isMounted(target)) continue;
    if (readdirSync(target, { withFileTypes: true }).some((entry) => entry.isDirectory())) {
      kept.push(target);
      continue;
    }
    await unmount(target, {}, scope);
    rmdirSync(target);
  }
  if (kept.length === 0) rmSync(mountedFile(layout), { force: true });
  else writeFileAtomically(mountedFile(layout), kept.join("\n"));
}

function mountedByNode(layout: Layout): readonly string[] {
  return (readFileIfExists(mountedFile(layout)) ?? "").split("\n").filter((line) => line !== "");
}

/** Version 2 renamed one controller (https://docs.kernel.org/admin-guide/cgroup-v2.html#io). */
function versionOneName(controller: string): string {
  return controller === "io" ? "blkio" : controller;
}
