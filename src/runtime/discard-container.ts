import { existsSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Scope } from "../base/scope.ts";
import { killAll, removeCgroup } from "../host/cgroups.ts";
import { readFolderIfExists } from "../host/files.ts";
import { removeMappedMounts } from "../host/idmapped-mounts.ts";
import { containerRunDir, containerStateDir, exitsDir, idMappedDir } from "../host/layout.ts";
import { commandLineOf, isRunning, killUntilGone, listProcesses } from "../host/processes.ts";
import type { StoredContainer } from "./container-table.ts";
import { type RuntimeContext, runtimeOf } from "./context.ts";
import { callRuntime, stateFolder } from "./oci-runtime.ts";
import type { ContainerRecord } from "./types.ts";

/**
 * Removes all traces of a container: processes, runtime state, cgroup, files (not a log that has content).
 * Idempotent; what a killed daemon left half-made or half-removed goes too. The state folder goes last, so that
 * a daemon killed meanwhile finds what is still to be done.
 */
export async function discardContainer(
  context: RuntimeContext,
  id: string,
  record: Pick<ContainerRecord, "cgroup" | "logPath"> | undefined,
  scope: Scope,
): Promise<void> {
  const { layout } = context;
  const stored = context.containers.get(id);
  const isHalfMade = stored?.creating !== false;
  // A monitor whose daemon died may be creating the container at this very moment, and each writes files until its end.
  await killUntilGone(() => (isHalfMade ? processesMaking(id) : monitorOf(stored)), `container ${id}`, scope);
  if (existsSync(stateFolder(runtimeOf(context, id), id))) await deleteFromRuntime(context, id, scope);
  await removeMappedMounts(idMappedDir(layout, id), scope);
  if (record !== undefined) {
    await killAll(record.cgroup, scope);
    await removeCgroup(record.cgroup, scope);
    if (isHalfMade && statSync(record.logPath, { throwIfNoEntry: false })?.size === 0) rmSync(record.logPath);
  }
  const hasOtherInstance = context.containers
    .all()
    .some(
      (other) => other.record.id !== id && dirname(other.record.cgroup) === dirname(record?.cgroup ?? ""),
    );
  // The cgroup that a container's instances have in common keeps its identity (for counters) as long as one exists.
  if (record !== undefined && !hasOtherInstance) await removeCgroup(dirname(record.cgroup), scope);
  // A monitor that was killed while it wrote the exit code leaves it under another name, which begins with the id, too.
  for (const name of readFolderIfExists(exitsDir(layout))) {
    if (name.startsWith(id)) rmSync(join(exitsDir(layout), name), { force: true });
  }
  rmSync(containerRunDir(layout, id), { recursive: true, force: true });
  rmSync(containerStateDir(layout, id), { recursive: true, force: true });
  context.containers.forget(id);
}

/** `delete --force` of a container that the runtime knows only in part fails after having removed it. */
async function deleteFromRuntime(context: RuntimeContext, id: string, scope: Scope): Promise<void> {
  const runtime = runtimeOf(context, id);
  try {
    await callRuntime(runtime, ["delete", "--force", id], scope);
  } catch (error) {
    scope.log.warn({ container: id, error: String(error) }, "runtime could not delete container");
  }
  rmSync(stateFolder(runtime, id), { recursive: true, force: true });
}

function monitorOf({ monitor }: StoredContainer): readonly number[] {
  return monitor !== undefined && isRunning(monitor) ? [monitor.pid] : [];
}

/** Its monitor and what that runs: all of them have the container's id in their command line. */
function processesMaking(id: string): readonly number[] {
  return listProcesses().filter((pid) => pid !== process.pid && commandLineOf(pid).includes(id));
}
