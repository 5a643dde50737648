import { PeapodError, systemErrorCode } from "../../base/errors.ts";
import type { Scope } from "../../base/scope.ts";
import { isAlive, type RunningDaemon, runningDaemon } from "./running-daemon.ts";

const pollMilliseconds = 20;

/**
 * Asks the run folder's daemon to end and resolves when its process is gone; undefined when none ran. Throws
 * `Timeout` when it takes longer than `limitMilliseconds` (undefined: no limit). Idempotent.
 */
export async function stopDaemon(
  runDir: string,
  limitMilliseconds: number | undefined,
  scope: Scope,
): Promise<RunningDaemon | undefined> {
  const daemon = runningDaemon(runDir);
  if (daemon === undefined) return undefined;
  try {
    process.kill(daemon.pid, "SIGTERM");
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EPERM") {
      throw new PeapodError("Forbidden", `only root may stop the node daemon (pid ${daemon.pid}; try sudo)`);
    }
    if (code !== "ESRCH") throw error;
  }
  const deadline = scope.clock.now() + (limitMilliseconds ?? Number.POSITIVE_INFINITY);
  // The daemon is not this process' child: the kernel tells nobody but its parent of its end.
  while (isAlive(daemon)) {
    if (scope.clock.now() > deadline) {
      throw new PeapodError("Timeout", `the node daemon (pid ${daemon.pid}) has not ended yet`);
    }
    await scope.clock.sleep(pollMilliseconds, scope.signal);
  }
  return daemon;
}
