import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readDescriptors } from "../host/proc.ts";
import { isRunning } from "../host/processes.ts";
import type { StoredContainer } from "./container-table.ts";
import { type RuntimeContext, runtimeOf } from "./context.ts";
import { startFIFO } from "./oci-runtime.ts";

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
