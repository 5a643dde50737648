import type { Readable } from "node:stream";
import { explain } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { ExecSession } from "../../runtime/types.ts";
import { failureStatus } from "../status.ts";
import type { RemoteCommandPeer, SessionEnd } from "./peer.ts";

/** Which outputs the client wants, and what the session's end means to it. */
export interface RemoteCommandOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Attach says nothing of the exit code: the pod's status has it. */
  readonly reportsExitCode: boolean;
}

/**
 * Joins a client and a process until one of them ends: all output, then how it ended, then the close; or, when the
 * client goes away first, the end of the session. Neither side is read faster than the other takes it.
 */
export async function joinRemoteCommand(
  peer: RemoteCommandPeer,
  session: ExecSession,
  options: RemoteCommandOptions,
  log: Log,
): Promise<void> {
  const onGone = () => session.kill();
  peer.gone.addEventListener("abort", onGone, { once: true });
  if (peer.gone.aborted) session.kill();
  peer.onResize((columns, rows) => session.resize(columns, rows));
  peer.stdin.on("error", () => {});
  if (session.stdin === undefined) peer.stdin.resume();
  else {
    // The process may end without reading all of its input.
    session.stdin.on("error", () => peer.stdin.resume());
    session.stdin.on("close", () => peer.stdin.resume());
    peer.stdin.pipe(session.stdin);
  }
  const outputs = [
    pump(peer, options.stdout ? "stdout" : undefined, session.stdout),
    ...(session.stderr === undefined
      ? []
      : [pump(peer, options.stderr ? "stderr" : undefined, session.stderr)]),
  ];
  try {
    const [exitCode] = await Promise.all([session.exited, ...outputs]);
    await peer.finish(exitStatus(options.reportsExitCode ? exitCode : 0));
  } catch (error) {
    log.warn({ error: explain(error) }, "stream failed");
    session.kill();
    await peer.finish(failureStatus(error));
  }
}

/** Sends a stream; output that nobody asked for is read and dropped, so that the process goes on. */
async function pump(
  peer: RemoteCommandPeer,
  name: "stdout" | "stderr" | undefined,
  output: Readable,
): Promise<void> {
  for await (const chunk of output) {
    if (name !== undefined) await peer.send(name, chunk);
  }
}

/** What the error channel says at the end: success, or the exit code as a cause. */
function exitStatus(exitCode: number): SessionEnd {
  if (exitCode === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit code ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}
