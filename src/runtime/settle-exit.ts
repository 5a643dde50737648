import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Scope } from "../base/scope.ts";
import { killAll, outOfMemoryKills } from "../host/cgroups.ts";
import { isGone } from "../host/files.ts";
import { containerStateDir, exitsDir, type Layout } from "../host/layout.ts";
import type { StoredContainer } from "./container-table.ts";
import type { RuntimeContext } from "./context.ts";
import { terminationMessage } from "./termination-message.ts";

/** How a container ended, as its monitor wrote it down. */
export interface ContainerExit {
  /** 128 + N after signal N. */
  readonly exitCode: number;
  readonly finishedAt: number;
}

/** What the monitor left, in the run folder or, after a reboot, beside the record; undefined when it has not. */
export function readExit(layout: Layout, id: string): ContainerExit | undefined {
  for (const path of [join(exitsDir(layout), id), join(containerStateDir(layout, id), "exit")]) {
    try {
      const text = readFileSync(path, "utf8").trim();
      if (text !== "") return { exitCode: Number(text), finishedAt: Math.round(statSync(path).mtimeMs) };
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return undefined;
}

/**
 * Records the container's end when its monitor has reported one and it is not recorded yet; otherwise does
 * nothing. What is left of a container that shares its PID namespace is killed first, as the kernel does for
 * the others.
 */
export async function settleExit(context: RuntimeContext, id: string, scope: Scope): Promise<void> {
  const before = context.containers.get(id);
  if (before === undefined || before.creating || before.record.phase === "Exited") return;
  // While a start is under way it decides how the end is told.
  if (before.record.phase === "Created" && before.startRequestedAt !== undefined) return;
  const exit = readExit(context.layout, id);
  if (exit === undefined) return;
  if (before.sharesProcesses) await killAll(before.record.cgroup, scope);
  const message = await terminationMessage(context.layout, before, exit.exitCode, scope);
  const stored = context.containers.get(id);
  if (stored === undefined || stored.record.phase === "Exited") return;
  recordExit(context, stored, exit, message);
}

function recordExit(
  context: RuntimeContext,
  stored: StoredContainer,
  exit: ContainerExit,
  message: string | undefined,
): void {
  const { record } = stored;
  // Counts also when only a child process was killed, as containerd does.
  const isOutOfMemory = exit.exitCode !== 0 && outOfMemoryKills(record.cgroup) > 0;
  context.containers.save({
    ...stored,
    record: {
      ...record,
      phase: "Exited",
      pid: undefined,
      finishedAt: Math.max(exit.finishedAt, record.startedAt ?? record.createdAt),
      exitCode: exit.exitCode,
      reason: isOutOfMemory ? "OOMKilled" : exit.exitCode === 0 ? "Completed" : "Error",
      message,
    },
  });
}

/** Exit code and reason that the kubelet gives a container of which nothing can be found any more. */
const unknownExitCode = 137;

/** Records that the container is gone and nobody knows how it ended: after a reboot, or without its monitor. */
export function recordUnknownExit(context: RuntimeContext, stored: StoredContainer, now: number): void {
  context.containers.save({
    ...stored,
    record: {
      ...stored.record,
      phase: "Exited",
      pid: undefined,
      finishedAt: now,
      exitCode: unknownExitCode,
      reason: "ContainerStatusUnknown",
      message: "the container ended while nothing watched it",
    },
  });
}
