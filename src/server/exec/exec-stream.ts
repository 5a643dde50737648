import type { Readable } from "node:stream";
import type WebSocket from "ws";
import { explain } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { ExecSession } from "../../runtime/types.ts";
import { failureStatus } from "../status.ts";
import type { ExecOptions } from "../subresources/pod-exec.ts";
import { channels, decodeMessage, encodeMessage, exitStatus } from "./channel-protocol.ts";

/**
 * Joins a WebSocket and a process until one of them ends: all output, then the exit code on the error channel,
 * then the close; or, when the client goes away first, the end of the process. Neither side is read faster than
 * the other takes it.
 */
export async function streamExec(
  socket: WebSocket,
  session: ExecSession,
  options: Pick<ExecOptions, "stdout" | "stderr">,
  log: Log,
): Promise<void> {
  socket.on("message", (message: Buffer) => receive(socket, session, message));
  socket.on("close", () => session.kill());
  socket.on("error", (error) => {
    log.debug({ error: explain(error) }, "exec connection broke");
    session.kill();
  });
  // The process may end without reading all of its input.
  session.stdin?.on("error", () => {});

  const outputs = [
    pump(socket, options.stdout ? channels.stdout : undefined, session.stdout),
    ...(session.stderr === undefined
      ? []
      : [pump(socket, options.stderr ? channels.stderr : undefined, session.stderr)]),
  ];
  try {
    const [exitCode] = await Promise.all([session.exited, ...outputs]);
    await send(socket, channels.error, JSON.stringify(exitStatus(exitCode)));
  } catch (error) {
    log.warn({ error: explain(error) }, "exec failed");
    session.kill();
    await send(socket, channels.error, JSON.stringify(failureStatus(error)));
  }
  socket.close(1000);
}

function receive(socket: WebSocket, session: ExecSession, bytes: Buffer): void {
  const message = decodeMessage(bytes);
  if (message?.type === "resize") session.resize(message.columns, message.rows);
  if (message?.type === "closeStdin") session.stdin?.end();
  if (message?.type !== "stdin" || session.stdin === undefined || session.stdin.writableEnded) return;
  if (!session.stdin.write(message.data)) {
    socket.pause();
    session.stdin.once("drain", () => socket.resume());
    session.stdin.once("close", () => socket.resume());
  }
}

/** Sends a stream on a channel; output that nobody asked for is read and dropped, so that the process goes on. */
async function pump(socket: WebSocket, channel: number | undefined, output: Readable): Promise<void> {
  for await (const chunk of output) {
    if (channel !== undefined) await send(socket, channel, chunk);
  }
}

/** Resolves when the message has left, or when there is nobody to send it to any more. */
function send(socket: WebSocket, channel: number, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) resolve();
    else socket.send(encodeMessage(channel, data), () => resolve());
  });
}
