import type { Scope } from "../base/scope.ts";
import { isRunning } from "../host/processes.ts";
import type { RuntimeContext } from "./context.ts";
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
