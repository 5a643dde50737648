import { closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
import { explain, PeapodError } from "../base/errors.ts";
import { type Scope, uncancelled, withTimeout } from "../base/scope.ts";
import { killAll } from "../host/cgroups.ts";
import type { StoredContainer } from "./container-table.ts";
import { type RuntimeContext, runtimeOf } from "./context.ts";
import { runtimeMessage } from "./monitor.ts";
import { callRuntime, type OCIRuntime, startFIFO } from "./oci-runtime.ts";
import { requireContainer } from "./require-container.ts";
import { settleExit } from "./settle-exit.ts";
import type { ContainerRecord } from "./types.ts";

/** What a container that could not be started says as its exit code, as with containerd. */
const cannotStartExitCode = 128;

/** A runtime that takes this long hangs. */
const startLimitMilliseconds = 60_000;

/** See `RuntimeService.startContainer`. Starting a container that was started before does nothing. */
export async function startContainer(
  context: RuntimeContext,
  id: string,
  scope: Scope,
): Promise<ContainerRecord> {
  scope.signal.throwIfAborted();
  const stored = requireContainer(context, id);
  if (stored.record.phase !== "Created") return stored.record;
  const startRequestedAt = scope.clock.now();
  context.containers.save({ ...stored, startRequestedAt });
  // Not broken off by a pod's deletion or the daemon's end: nobody could tell then whether the process runs.
  const unbroken = withTimeout(uncancelled(scope), startLimitMilliseconds);
  try {
    const runtime = runtimeOf(context, id);
    if (!letRun(runtime, id)) await callRuntime(runtime, ["start", id], unbroken);
  } catch (error) {
    if (unbroken.signal.aborted) await killAll(stored.record.cgroup, uncancelled(scope));
    failStart(context, requireContainer(context, id), error, scope);
  }
  const current = requireContainer(context, id);
  if (current.record.phase === "Created") {
    context.containers.save({
      ...current,
      record: { ...current.record, phase: "Running", startedAt: startRequestedAt },
    });
  }
  // A short life may have ended before the runtime's command did; its exit was not yet to be counted then.
  await settleExit(context, id, scope);
  return requireContainer(context, id).record;
}

/**
 * Does what `crun start` does, without the five milliseconds of starting crun: the container's process waits for
 * a byte on a FIFO, whose absence means that it runs. False, with nothing done, where that is not how it works.
 */
function letRun(runtime: OCIRuntime, id: string): boolean {
  if (runtime.name !== "crun") return false;
  let fd: number;
  try {
    // Fails at once, rather than waiting, when no process has the FIFO open.
    fd = openSync(startFIFO(runtime, id), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    rmSync(startFIFO(runtime, id));
    writeSync(fd, Buffer.alloc(1));
    return true;
  } finally {
    closeSync(fd);
  }
}

function failStart(context: RuntimeContext, stored: StoredContainer, error: unknown, scope: Scope): never {
  const details = error instanceof PeapodError ? (error.details as { stderr?: string }) : {};
  const message = runtimeMessage(details.stderr ?? explain(error));
  const now = scope.clock.now();
  context.containers.save({
    ...stored,
    record: {
      ...stored.record,
      phase: "Exited",
      pid: undefined,
      startedAt: now,
      finishedAt: now,
      exitCode: cannotStartExitCode,
      reason: "ContainerCannotRun",
      message,
    },
  });
  throw new PeapodError("RunContainerError", `container start failed: ${message}`, { cause: error });
}
