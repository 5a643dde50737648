import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { explain, PeapodError } from "../base/errors.ts";
import { type Scope, withSignal } from "../base/scope.ts";
import { startProcess } from "../host/child-process.ts";
import { containerStateDir } from "../host/layout.ts";
import type { RuntimeContext } from "./context.ts";
import { logWriterState } from "./logs/log-writer-state.ts";
import { readLog } from "./logs/read-log.ts";
import { requireContainer } from "./require-container.ts";
import type { OCISpec } from "./spec/oci.ts";
import { setTerminalSize } from "./terminal-size.ts";
import type { AttachRequest, ContainerRecord, ExecSession } from "./types.ts";

/**
 * See `RuntimeService.attach`. Output is read from the log, to which the monitor writes each piece as it comes, cut
 * nowhere but marked where it does not end a line: a client that reads slowly then holds back nobody, whereas a
 * slow reader of the monitor's attach socket would hold back the container. Only input goes through that socket.
 */
export function attach(
  context: RuntimeContext,
  id: string,
  request: AttachRequest,
  scope: Scope,
): ExecSession {
  scope.signal.throwIfAborted();
  const { record } = requireContainer(context, id);
  if (record.phase !== "Running") {
    throw new PeapodError("BadRequest", `container ${record.name} is not running`);
  }
  const bundle = containerStateDir(context.layout, id);
  const { process: own } = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8")) as OCISpec;
  const detached = new AbortController();
  const here = withSignal(scope, detached.signal);
  const stdout = follow(context, record, "stdout", here);
  const stderr = own.terminal ? undefined : follow(context, record, "stderr", here);
  const stdin = request.stdin ? new PassThrough() : undefined;
  if (stdin !== undefined) {
    // Not before: the answer to what is typed must not be taken for output of before.
    void Promise.all([stdout.placed, stderr?.placed]).then(() => connectInput(stdin, bundle, here));
  }
  const exited = Promise.all([stdout.stream, stderr?.stream].map(ended)).then(() => {
    detached.abort();
    return 0;
  });
  // One after the other, and all of them: kubectl begins with a size that is one too large, so that whoever draws on
  // the terminal draws anew at the second. Not by the monitor's control FIFO: of two messages that it finds there at
  // once, conmon 2.1 obeys the first twice.
  let resized = Promise.resolve();
  return {
    stdin,
    stdout: stdout.stream,
    stderr: stderr?.stream,
    resize(columns, rows) {
      if (!own.terminal) return;
      resized = resized
        .then(() => setTerminalSize(`/proc/${record.pid}/root/dev/console`, columns, rows, here))
        .catch((error: unknown) => {
          scope.log.debug({ container: id, error: explain(error) }, "terminal not resized");
        });
    },
    exited,
    kill: () => detached.abort(),
  };
}

/** A stream of the container from now on; `placed` resolves, once it is read, when "now" is settled. */
function follow(
  context: RuntimeContext,
  record: ContainerRecord,
  stream: "stdout" | "stderr",
  scope: Scope,
): { readonly stream: Readable; readonly placed: Promise<void> } {
  const { promise: placed, resolve } = Promise.withResolvers<void>();
  const state = { ...logWriterState(context.containers, record.id), onPlaced: resolve };
  const options = { follow: true, timestamps: false, tailLines: 0, stream };
  const log = readLog(record.logPath, options, state, scope);
  return { stream: Readable.from(log, { objectMode: false }), placed };
}

function ended(stream: Readable | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (stream === undefined) resolve();
    else stream.once("close", resolve);
  });
}

/**
 * The way into the container's standard input: socat(1), because Node.js has no SOCK_SEQPACKET, which the monitor's
 * socket is. It also takes, and drops, the output that the monitor sends to everybody who is connected. The socket
 * is named relative to its folder: an address has at most 107 bytes.
 */
function connectInput(input: Readable, bundle: string, scope: Scope): void {
  if (scope.signal.aborted) return;
  const socket = "UNIX-CONNECT:attach,type=5";
  const child = startProcess("socat", ["-b", "65536", "STDIO", socket], {
    stdio: ["pipe", "ignore", "ignore"],
    cwd: bundle,
  });
  const stop = () => child.kill();
  scope.signal.addEventListener("abort", stop, { once: true });
  child.once("exit", () => scope.signal.removeEventListener("abort", stop));
  child.once("error", (error) => {
    scope.log.warn({ error: explain(error) }, "standard input not connected: is socat installed?");
    input.resume();
  });
  if (child.stdin === null) return;
  // When the container has ended nobody takes it any more.
  child.stdin.on("error", () => input.resume());
  input.pipe(child.stdin);
}
