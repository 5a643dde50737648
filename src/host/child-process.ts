import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

/** A child process with streams, for callers that talk to it while it runs. */
export interface ProcessOptions {
  readonly stdio: NonNullable<SpawnOptions["stdio"]>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Own session and process group, so that it survives signals sent to the daemon's group. */
  readonly detached?: boolean;
}

/** Starts a process and returns at once; the caller owns it and listens to its `exit` and `error` events. */
export function startProcess(file: string, args: readonly string[], options: ProcessOptions): ChildProcess {
  return spawn(file, args, {
    stdio: options.stdio,
    detached: options.detached ?? false,
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
}
