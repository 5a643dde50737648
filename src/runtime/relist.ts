import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { Scope } from "../base/scope.ts";
import { readDescriptors } from "../host/proc.ts";
import { isRunning } from "../host/processes.ts";
import type { StoredContainer } from "./container-table.ts";
import { type RuntimeContext, runtimeOf } from "./context.ts";
import { startFIFO } from "./oci-runtime.ts";
import { readExit, recordUnknownExit, settleExit } from "./settle-exit.ts";

/**
 * Compares one container's record with the kernel and the monitor's files, and corrects it: an exit whose event
 * was missed, an end that nobody wrote down, a start that a killed daemon had asked for.
 */
export async function relistContainer(context: RuntimeContext, id: string, scope: Scope): Promise<void> {
  const stored = context.containers.get(id);
  if (stored === undefined || stored.creating || stored.record.phase === "Exited") return;
  await settleExit(context, id, scope);
  const current = context.containers.get(id);
  if (current === undefined || current.record.phase === "Exited") return;
  const isSameBoot = current.bootID === context.bootID;
  const lives = (process: typeof current.process) =>
    isSameBoot && process !== undefined && isRunning(process);
  // The monitor first drains the container's output, then writes the exit file: as long as it lives, wait.
  if (lives(current.process) || lives(current.monitor)) return;
  // It may have written the file and left between the two looks.
  if (readExit(context.layout, id) !== undefined) await settleExit(context, id, scope);
  else recordUnknownExit(context, current, scope.clock.now());
}

/** Compares all containers' records with the kernel. */
export async function relistContainers(context: RuntimeContext, scope: Scope): Promise<void> {
  for (const { record } of context.containers.all()) await relistContainer(context, record.id, scope);
}

/**
 * Settles a container that an earlier daemon had made and not seen running when it was killed: it runs, or counts as half made
 * from now on. Even where it can be let run, nobody knows whether it is still wanted; and where its FIFO has been opened once,
 * crun's process ends with an error when that happens again.
 */
export function adoptCreated(context: RuntimeContext, id: string): void {
  const stored = context.containers.get(id);
  if (stored?.record.phase !== "Created") return;
  const { startRequestedAt } = stored;
  context.containers.save(
    startRequestedAt !== undefined && hasBegun(context, stored)
      ? { ...stored, record: { ...stored.record, phase: "Running", startedAt: startRequestedAt } }
      : { ...stored, creating: true, startRequestedAt: undefined },
  );
}

/**
 * The FIFO at which the process waits is removed right before it is written to: both have been done when it is not there
 * and the process does not hold it any more.
 */
function hasBegun(context: RuntimeContext, { record: { id }, process }: StoredContainer): boolean {
  const fifo = startFIFO(runtimeOf(context, id), id);
  if (existsSync(fifo)) return false;
  if (process === undefined || !isRunning(process)) return true;
  // The path may lead here through symbolic links; the kernel tells it without.
  const end = `${join(id, basename(fifo))} (deleted)`;
  return !readDescriptors(process.pid).some(({ link }) => link.endsWith(end));
}
