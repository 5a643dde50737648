import { once } from "node:events";
import type { Readable } from "node:stream";
import { type ProcessOptions, startProcess } from "./child-process.ts";
import { closeAll, quickSpawn } from "./quick-spawn.ts";

/** A process that outlives the daemon; see {@link startDetached}. */
export interface DetachedOptions {
  /** Open file for its standard error; input and output are /dev/null. The caller closes it. */
  readonly stderr: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** The descriptor on which a process of {@link startDetached} reports. */
export const reportDescriptor = 3;

/**
 * Starts a process in a session of its own and returns what it writes to its descriptor 3. Nobody waits for it: when
 * the daemon ends it goes on. Rejects when the program cannot be started.
 */
export async function startDetached(
  file: string,
  args: readonly string[],
  options: DetachedOptions,
): Promise<Readable> {
  const quick = await quickSpawn();
  const { stderr, env, cwd } = options;
  if (quick !== undefined) {
    const report = quick.outputPipe();
    try {
      const descriptors = ["null", "null", stderr, report.child] as const;
      quick.start(file, args, { descriptors, env: { ...process.env, ...env }, cwd, newSession: true });
      return report.stream;
    } catch (error) {
      report.stream.destroy();
      throw error;
    } finally {
      closeAll([report.child]);
    }
  }
  const stdio: ProcessOptions["stdio"] = ["ignore", "ignore", stderr, "pipe"];
  const child = startProcess(file, args, { stdio, env, cwd, detached: true });
  await Promise.race([once(child, "spawn"), once(child, "error").then(([error]) => Promise.reject(error))]);
  child.unref();
  return child.stdio[reportDescriptor] as Readable;
}
