import type { Readable, Writable } from "node:stream";
import { PeapodError } from "../base/errors.ts";
import type { Scope } from "../base/scope.ts";
import { addressed, type Connect } from "./connect.ts";
import { pods, resourcePath } from "./resources.ts";
import { errorFromStatus, type Status, statusError } from "./status.ts";

/** What to run, and where its streams go. */
export interface ExecOptions {
  readonly container?: string | undefined;
  readonly command: readonly string[];
  /** Absent: the command has no standard input. */
  readonly stdin?: Readable | undefined;
  readonly stdout: Writable;
  /** Not used with a terminal, which has only one output. */
  readonly stderr: Writable;
  readonly tty: boolean;
  /** The terminal's size now and after each change. */
  readonly sizes?: AsyncIterable<{ readonly columns: number; readonly rows: number }> | undefined;
}

// The channels of remotecommand's protocol: the first byte of every message.
const stdinChannel = 0;
const stdoutChannel = 1;
const stderrChannel = 2;
const errorChannel = 3;
const resizeChannel = 4;
/** Since v5: half-closes the channel that the second byte names. */
const closeChannel = 255;

/**
 * Runs a command in a container by the WebSocket protocol `v5.channel.k8s.io` (or `v4`, which cannot end standard
 * input) and resolves with its exit code once its output is written. Rejects with the server's Status when the
 * command could not be run, and with the signal's reason.
 * Rules: https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go.
 */
export async function exec(
  connect: Connect,
  path: string,
  options: ExecOptions,
  scope: Scope,
): Promise<number> {
  const { default: WebSocket } = await import("ws");
  const target = await addressed(connect, path, scope);
  const connection = await connect(scope);
  const url = `ws://${target.host}${target.path}`;
  const socket = new WebSocket(url, ["v5.channel.k8s.io", "v4.channel.k8s.io"], {
    headers: target.headers,
    createConnection: (() => connection) as never,
    perMessageDeflate: false,
  });
  const finished = new AbortController();
  const onAbort = () => socket.terminate();
  scope.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      let outcome: Status | undefined;
      socket.on("unexpected-response", (_request, response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          reject(statusError(response.statusCode ?? 500, Buffer.concat(chunks).toString())),
        );
      });
      socket.on("error", (cause) => {
        const broken = new PeapodError("NodeUnreachable", "the exec connection broke", { cause });
        reject(scope.signal.aborted ? scope.signal.reason : broken);
      });
      socket.on("open", () => {
        if (options.stdin !== undefined) pumpInput(socket, options.stdin, finished.signal);
        if (options.sizes !== undefined) void pumpSizes(socket, options.sizes, finished.signal).catch(reject);
      });
      socket.on("message", (data: Buffer) => {
        const payload = data.subarray(1);
        if (data[0] === errorChannel) outcome = parseOutcome(payload);
        const output =
          data[0] === stdoutChannel ? options.stdout : data[0] === stderrChannel ? options.stderr : undefined;
        if (output === undefined || payload.length === 0 || output.write(payload)) return;
        // A slow terminal or pipe holds back the command instead of filling memory.
        socket.pause();
        output.once("drain", () => socket.resume());
      });
      socket.on("close", () => {
        if (scope.signal.aborted) reject(scope.signal.reason);
        else if (outcome === undefined) {
          reject(
            new PeapodError("NodeUnreachable", "the exec connection ended without the command's outcome"),
          );
        } else if (outcome.status === "Success") resolve(0);
        else {
          const code = outcome.details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
          if (code === undefined) reject(errorFromStatus(outcome));
          else resolve(Number(code));
        }
      });
    });
  } finally {
    finished.abort();
    scope.signal.removeEventListener("abort", onAbort);
    socket.terminate();
  }
}

type Socket = import("ws").WebSocket;

function pumpInput(socket: Socket, stdin: Readable, signal: AbortSignal): void {
  const onData = (chunk: Buffer | string) => {
    if (socket.readyState !== socket.OPEN) return;
    stdin.pause();
    socket.send(frame(stdinChannel, Buffer.from(chunk as Buffer)), () => stdin.resume());
  };
  const onEnd = () => {
    if (socket.readyState === socket.OPEN && socket.protocol === "v5.channel.k8s.io") {
      socket.send(frame(closeChannel, Buffer.from([stdinChannel])));
    }
  };
  stdin.on("data", onData).once("end", onEnd);
  signal.addEventListener("abort", () => {
    stdin.off("data", onData).off("end", onEnd).pause();
  });
}

async function pumpSizes(
  socket: Socket,
  sizes: NonNullable<ExecOptions["sizes"]>,
  signal: AbortSignal,
): Promise<void> {
  for await (const { columns, rows } of sizes) {
    if (signal.aborted) return;
    socket.send(frame(resizeChannel, Buffer.from(JSON.stringify({ Width: columns, Height: rows }))));
  }
}

function frame(channel: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([channel]), payload]);
}

/** The outcome is a Status, though servers send it without its kind. */
function parseOutcome(payload: Buffer): Status {
  return { ...JSON.parse(payload.toString()), kind: "Status" };
}

/** Path and query of the exec subresource. */
export function execPath(
  pod: { readonly namespace: string; readonly name: string },
  options: ExecOptions,
): string {
  const query = new URLSearchParams();
  if (options.container !== undefined) query.set("container", options.container);
  for (const word of options.command) query.append("command", word);
  if (options.stdin !== undefined) query.set("stdin", "true");
  query.set("stdout", "true");
  query.set(options.tty ? "tty" : "stderr", "true");
  return `${resourcePath(pods, { ...pod, subresource: "exec" })}?${query}`;
}
