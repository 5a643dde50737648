import { once } from "node:events";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { startProcess } from "./child-process.ts";
import { closeAll, type QuickSpawn, quickSpawn } from "./quick-spawn.ts";

/** How a tool ended; `spawnError` when it could not even be started. */
export interface Ending {
  readonly exitCode: number | null;
  readonly signalName: string | null;
  readonly spawnError: Error | undefined;
}

/** A tool under way, however it was started. */
export interface StartedTool {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has exited and all its output was read. */
  readonly ended: Promise<Ending>;
}

/** How a tool is started. */
export interface ToolOptions {
  /** Whether it has a pipe as its standard input; else /dev/null. */
  readonly input: boolean;
  /** Added to (or, with undefined, removed from) the daemon's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string | undefined;
}

/** Starts a tool with pipes as its outputs, the quick way where this machine has it. Never rejects: see `ended`. */
export async function startTool(
  file: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<StartedTool> {
  const quick = await quickSpawn();
  return quick === undefined ? startByNode(file, args, options) : startQuickly(quick, file, args, options);
}

function startByNode(file: string, args: readonly string[], options: ToolOptions): StartedTool {
  const child = startProcess(file, args, {
    stdio: [options.input ? "pipe" : "ignore", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env,
  });
  const { stdin, stdout, stderr } = child;
  const ended = new Promise<Ending>((resolve) => {
    child.once("error", (spawnError) => resolve({ exitCode: null, signalName: null, spawnError }));
    child.once("close", (exitCode, signalName) => resolve({ exitCode, signalName, spawnError: undefined }));
  });
  return { stdin, stdout, stderr, ended, kill: (signal) => void child.kill(signal) };
}

function startQuickly(
  quick: QuickSpawn,
  file: string,
  args: readonly string[],
  options: ToolOptions,
): StartedTool {
  const input = options.input ? quick.inputPipe() : undefined;
  const [output, errors] = [quick.outputPipe(), quick.outputPipe()];
  const descriptors = [input?.child ?? "null", output.child, errors.child] as const;
  const streams = { stdin: input?.stream ?? null, stdout: output.stream, stderr: errors.stream };
  try {
    const child = quick.start(file, args, {
      descriptors,
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const closed = [output.stream, errors.stream].map((stream) => once(stream, "close"));
    const ended = Promise.all([child.exited, ...closed]).then(([{ exitCode, signal }]) => ({
      exitCode,
      signalName: signal === null ? null : (signalNames.get(signal) ?? `signal ${signal}`),
      spawnError: undefined,
    }));
    return { ...streams, ended, kill: (signal) => child.kill(signal) };
  } catch (spawnError) {
    for (const stream of Object.values(streams)) stream?.destroy();
    const ending = { exitCode: null, signalName: null, spawnError: spawnError as Error };
    return { stdin: null, stdout: null, stderr: null, ended: Promise.resolve(ending), kill() {} };
  } finally {
    closeAll(descriptors);
  }
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
