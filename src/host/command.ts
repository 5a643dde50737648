import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { type Ending, type StartedTool, startTool } from "./tool.ts";

/** How a command is run. Secrets never go into `args`; pass them by `input`, `env` or a file. */
export interface CommandOptions {
  /** Written to the command's standard input, which is then closed. Absent: /dev/null. */
  readonly input?: string | Uint8Array;
  /** Added to (or, with undefined, removed from) the daemon's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Exit codes that count as success. Default: only 0. */
  readonly okCodes?: readonly number[];
  /** Called with each complete line of standard error as it comes (for progress). */
  readonly onStderrLine?: (line: string) => void;
  /** Called with each chunk of standard output as it comes; `stdout` of the result is then empty. */
  readonly onStdout?: (chunk: Buffer) => void;
}

/** What a command that ended well left behind. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const terminationGraceMilliseconds = 5_000;

/**
 * Runs a system tool to its end.
 *
 * Resolves when it exits with one of `okCodes`. Rejects with a {@link PeapodError} `CommandFailed` whose
 * message is `FILE: exit code N: last line of stderr` and whose details hold the whole command line, both
 * outputs and the exit code. When the scope's signal aborts, the command gets SIGTERM, five seconds later
 * SIGKILL, and the signal's reason is the error's cause.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
  scope: Scope,
): Promise<CommandResult> {
  scope.signal.throwIfAborted();
  const tool = await startTool(file, args, {
    input: options.input !== undefined,
    env: options.env ?? {},
    cwd: options.cwd,
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let partialLine = "";
  tool.stdout?.on("data", (chunk: Buffer) => (options.onStdout ?? ((data) => stdout.push(data)))(chunk));
  tool.stderr?.on("data", (chunk: Buffer) => {
    stderr.push(chunk);
    if (options.onStderrLine === undefined) return;
    const lines = (partialLine + chunk.toString()).split(/\r\n|[\r\n]/);
    partialLine = lines.pop() ?? "";
    for (const line of lines) options.onStderrLine(line);
  });
  if (options.input !== undefined && tool.stdin !== null) {
    // A tool that exits without reading its input closes the pipe; its exit code says what went wrong.
    tool.stdin.on("error", () => {});
    tool.stdin.end(options.input);
  }

  const { exitCode, signalName, spawnError } = await endedOrKilled(tool, scope.signal);
  const result = {
    exitCode: exitCode ?? -1,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
  const ok = exitCode !== null && (options.okCodes ?? [0]).includes(exitCode);
  if (ok && spawnError === undefined) return result;

  const ending =
    spawnError !== undefined
      ? spawnError.message
      : signalName !== null
        ? `killed by ${signalName}`
        : `exit code ${exitCode}`;
  const lastLine = result.stderr.trim().split("\n").at(-1) ?? "";
  throw new PeapodError("CommandFailed", `${file}: ${ending}${lastLine === "" ? "" : `: ${lastLine}`}`, {
    cause: scope.signal.aborted ? scope.signal.reason : spawnError,
    details: { command: [file, ...args], ...result },
  });
}

async function endedOrKilled(tool: StartedTool, signal: AbortSignal): Promise<Ending> {
  let killTimer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    tool.kill("SIGTERM");
    killTimer = setTimeout(() => tool.kill("SIGKILL"), terminationGraceMilliseconds);
  };
  // It may have been aborted while the tool was being started.
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await tool.ended;
  } finally {
    clearTimeout(killTimer);
    signal.removeEventListener("abort", onAbort);
  }
}
