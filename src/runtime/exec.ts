import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { explain, PeapodError } from "../base/errors.ts";
import { KeyedQueue } from "../base/keyed-queue.ts";
import { type Scope, withSignal } from "../base/scope.ts";
import { startProcess } from "../host/child-process.ts";
import { readFileIfExists } from "../host/files.ts";
import { containerRunDir, containerStateDir } from "../host/layout.ts";
import { descendantsOf, signalPID } from "../host/processes.ts";
import { startOnTerminal } from "../host/terminal.ts";
import { type RuntimeContext, runtimeOf } from "./context.ts";
import { commandExitCode } from "./exec-exit-code.ts";
import { requireContainer } from "./require-container.ts";
import type { OCIProcess, OCISpec } from "./spec/oci.ts";
import { setTerminalSize } from "./terminal-size.ts";
import type { ExecRequest, ExecSession } from "./types.ts";

const defaultSize = { columns: 80, rows: 24 };

let counter = 0;

/**
 * See `RuntimeService.exec`. The process gets user, environment, folder, capabilities and seccomp filter of the
 * container's own.
 */
export function exec(context: RuntimeContext, id: string, request: ExecRequest, scope: Scope): ExecSession {
  scope.signal.throwIfAborted();
  const { record } = requireContainer(context, id);
  if (record.phase !== "Running") {
    throw new PeapodError("BadRequest", `container ${record.name} is not running`);
  }
  counter += 1;
  const base = join(containerRunDir(context.layout, id), `exec-${process.pid}-${counter}`);
  const files = { process: `${base}.json`, pid: `${base}.pid`, log: `${base}.log` };
  writeFileSync(files.process, JSON.stringify(execProcess(context, id, request)), { mode: 0o600 });
  const runtime = runtimeOf(context, id);
  const args = [
    ...["--root", runtime.root, "--log", files.log, "--log-format", "json"],
    ...["exec", "--process", files.process, "--pid-file", files.pid, id],
  ];
  const session = request.tty
    ? onTerminal(runtime.path, args, request, files.pid, scope)
    : onPipes(runtime.path, args, request);
  const onAbort = () => session.kill();
  scope.signal.addEventListener("abort", onAbort, { once: true });
  const exited = session.exited
    .then((code) => (code === 0 ? code : commandExitCode(code, readFileIfExists(files.log))))
    .finally(() => {
      scope.signal.removeEventListener("abort", onAbort);
      for (const file of Object.values(files)) rmSync(file, { force: true });
    });
  return { ...session, exited };
}

function consoleSize({ size = defaultSize }: ExecRequest): { height: number; width: number } {
  return { height: size.rows, width: size.columns };
}

function execProcess(context: RuntimeContext, id: string, request: ExecRequest): OCIProcess {
  const file = join(containerStateDir(context.layout, id), "config.json");
  const { process: own } = JSON.parse(readFileSync(file, "utf8")) as OCISpec;
  const hasTerminalType = own.env.some((entry) => entry.startsWith("TERM="));
  return {
    ...own,
    terminal: request.tty,
    // Else the process may start before the runtime has handed the outer terminal's size on.
    ...(request.tty ? { consoleSize: consoleSize(request) } : {}),
    args: request.command,
    env: request.tty && !hasTerminalType ? [...own.env, "TERM=xterm"] : own.env,
  };
}

function onTerminal(
  file: string,
  args: readonly string[],
  request: ExecRequest,
  pidFile: string,
  scope: Scope,
): ExecSession {
  const terminal = startOnTerminal(file, args, request.size ?? defaultSize);
  // One after the other, the latest wins: an earlier size that is set late would undo a later one.
  let wanted: { columns: number; rows: number } | undefined;
  const whileItRuns = withSignal(scope, terminal.gone);
  const queue = new KeyedQueue(
    async () => {
      const size = wanted;
      if (size !== undefined) await resizeInner(pidFile, size.columns, size.rows, whileItRuns);
    },
    (_, error) => scope.log.debug({ error: explain(error) }, "terminal not resized"),
  );
  return {
    stdin: request.stdin ? terminal.input : undefined,
    stdout: terminal.output,
    stderr: undefined,
    resize(columns, rows) {
      terminal.resize(columns, rows);
      wanted = { columns, rows };
      queue.enqueue("size");
    },
    exited: terminal.exited,
    kill: killer(terminal.pid, terminal.gone, () => terminal.kill("SIGKILL")),
  };
}

/**
 * Sets the size of the terminal inside the container, which the kernel then tells its processes. The runtime itself
 * hands a new size on only when it listens already, and crun only from 1.8.7 (containers/crun#1262). Waits for the runtime to
 * tell the process, until the scope ends.
 */
async function resizeInner(pidFile: string, columns: number, rows: number, scope: Scope): Promise<void> {
  let pid = readFileIfExists(pidFile);
  for (; (pid ?? "") === ""; pid = readFileIfExists(pidFile)) {
    await scope.clock.sleep(20, scope.signal);
  }
  await setTerminalSize(`/proc/${pid}/fd/0`, columns, rows, scope);
}

function onPipes(file: string, args: readonly string[], request: ExecRequest): ExecSession {
  const child = startProcess(file, args, { stdio: [request.stdin ? "pipe" : "ignore", "pipe", "pipe"] });
  // A process that ends without reading its input closes the pipe; the exit code says what happened.
  child.stdin?.on("error", () => {});
  const stdout = child.stdout as Readable;
  const stderr = child.stderr as Readable;
  const ended = new AbortController();
  const exited = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => {
      ended.abort();
      endOnceIdle([stdout, stderr]);
    });
    child.once("close", (code, signal) => resolve(code ?? (signal === null ? 255 : 137)));
  });
  return {
    stdin: child.stdin ?? undefined,
    stdout,
    stderr,
    resize: () => {},
    exited,
    kill: killer(child.pid, ended.signal, () => child.kill("SIGKILL")),
  };
}

const idleCheckMilliseconds = 500;

/**
 * A process that went to the background keeps the pipes open after the command itself has ended. They are closed
 * when nothing came and nothing waits to be read for a while, so that the command's end can be told.
 */
function endOnceIdle(streams: readonly Readable[]): void {
  const seen = new Map(streams.map((stream) => [stream, -1]));
  const timer = setInterval(() => {
    const open = streams.filter((stream) => !stream.closed);
    if (open.length === 0) clearInterval(timer);
    for (const stream of open) {
      const bytes = (stream as Readable & { bytesRead?: number }).bytesRead ?? 0;
      if (stream.readableLength === 0 && seen.get(stream) === bytes) stream.push(null);
      seen.set(stream, bytes);
    }
  }, idleCheckMilliseconds);
  for (const stream of streams)
    stream.once("close", () => streams.every((each) => each.closed) && clearInterval(timer));
}

/**
 * Kills the process in the container with everything below it; the runtime's command, whose child it is, then ends
 * by itself and tells the exit code. A command that has no child yet is killed instead; of one that has `ended` another
 * process may have the number.
 */
function killer(commandPID: number | undefined, ended: AbortSignal, killCommand: () => void): () => void {
  let isKilled = false;
  return () => {
    if (isKilled || commandPID === undefined || ended.aborted) return;
    isKilled = true;
    const below = stopTree(commandPID);
    for (const pid of below) signalPID(pid, "SIGKILL");
    if (below.length === 0) killCommand();
  };
}

/** Stops all processes below one, so that none can get away by making a child while they are being found. */
function stopTree(root: number): readonly number[] {
  const stopped = new Set<number>();
  for (;;) {
    const found = descendantsOf(root).filter((pid) => !stopped.has(pid));
    if (found.length === 0) return [...stopped];
    for (const pid of found) {
      signalPID(pid, "SIGSTOP");
      stopped.add(pid);
    }
  }
}
