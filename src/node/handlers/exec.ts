import type { Readable } from "node:stream";
import type { Scope } from "../../base/scope.ts";
import type { RuntimeService } from "../../runtime/types.ts";

/** How a command in a container ended. */
export interface CommandResult {
  readonly exitCode: number;
  /** Both outputs in the order of their arrival, at most {@link maximumOutputBytes}. */
  readonly output: string;
}

/** As much of a probe's output as the kubelet keeps. */
const maximumOutputBytes = 10 * 1024;

/**
 * Runs a command in a running container, without a shell, until it ends or the scope's signal aborts, which kills
 * it and rejects with the signal's reason.
 */
export async function execInContainer(
  runtime: Pick<RuntimeService, "exec">,
  id: string,
  command: readonly string[],
  scope: Scope,
): Promise<CommandResult> {
  const session = await runtime.exec(id, { command, stdin: false, tty: false }, scope);
  const output = new Output();
  output.collect(session.stdout);
  if (session.stderr !== undefined) output.collect(session.stderr);
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => {
      session.kill();
      reject(scope.signal.reason);
    };
    if (scope.signal.aborted) onAbort();
    else scope.signal.addEventListener("abort", onAbort, { once: true });
  });
  const exitCode = await Promise.race([session.exited, aborted]);
  return { exitCode, output: output.text() };
}

class Output {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  collect(stream: Readable): void {
    stream.on("error", () => {});
    // What is over the limit is read all the same, so that the command is not held up.
    stream.on("data", (chunk: Buffer) => {
      const wanted = chunk.subarray(0, maximumOutputBytes - this.#bytes);
      this.#bytes += wanted.length;
      if (wanted.length > 0) this.#chunks.push(wanted);
    });
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
