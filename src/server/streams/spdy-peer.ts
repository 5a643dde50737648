import { type Duplex, PassThrough, type Writable } from "node:stream";
import { PeapodError } from "../../base/errors.ts";
import { type Scope, withTimeout } from "../../base/scope.ts";
import { SpdyConnection } from "../../spdy/connection.ts";
import type { SpdyStream } from "../../spdy/stream.ts";
import { decodeSize, type RemoteCommandPeer } from "./peer.ts";

/**
 * What `X-Stream-Protocol-Version` names for exec and attach by SPDY, which kubectl spoke up to 1.30: one stream for
 * each of stdin, stdout, stderr and resize that the request asks for, and one for the final Status.
 */
export const spdyRemoteCommandProtocol = "v4.channel.k8s.io";

/** The API server's own limit. */
const opensWithinMilliseconds = 30_000;

const lingerMilliseconds = 10_000;

/** A client that speaks SPDY on `transport`, once it has opened all `expected` streams. Rejects when it does not. */
export async function spdyPeer(
  transport: Duplex,
  expected: readonly string[],
  scope: Scope,
): Promise<RemoteCommandPeer> {
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  const streams = new Map<string, SpdyStream>();
  const connection = new SpdyConnection(transport, "server", (stream) => {
    streams.set(stream.headers.streamtype ?? "", stream);
    if (expected.every((name) => streams.has(name))) resolve();
  });
  await within(complete, connection, scope);

  const gone = new AbortController();
  void connection.closed.then(() => gone.abort());
  return {
    stdin: streams.get("stdin") ?? new PassThrough().end(),
    gone: gone.signal,
    send: (output, data) => write(streams.get(output), data),
    async finish(status) {
      await write(streams.get("error"), Buffer.from(JSON.stringify(status)));
      await Promise.all(["stdout", "stderr", "error"].map((name) => end(streams.get(name))));
      // Clients drop what they have not read yet when the connection ends, and end it themselves afterwards.
      const limit = new AbortController();
      const late = scope.clock.sleep(lingerMilliseconds, limit.signal).catch(() => {});
      await Promise.race([connection.closed, late]);
      limit.abort();
      connection.close();
    },
    onResize(listener) {
      let text = "";
      streams.get("resize")?.on("data", (chunk: Buffer) => {
        const documents = `${text}${chunk}`.split(/(?<=\})/);
        text = documents.at(-1)?.endsWith("}") === true ? "" : (documents.pop() ?? "");
        for (const size of documents.map(decodeSize)) {
          if (size !== undefined) listener(size.columns, size.rows);
        }
      });
    },
  };
}

/** Rejects when the streams do not come before the limit or the connection's end. */
async function within(complete: Promise<void>, connection: SpdyConnection, scope: Scope): Promise<void> {
  const limit = withTimeout(scope, opensWithinMilliseconds).signal;
  const given = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new PeapodError("Timeout", "the client did not open its streams"));
    limit.addEventListener("abort", giveUp, { once: true });
    void connection.closed.then(giveUp);
  });
  try {
    await Promise.race([complete, given]);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function write(stream: Writable | undefined, data: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (stream?.writable !== true) resolve();
    else stream.write(data, () => resolve());
  });
}

function end(stream: Writable | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (stream?.writable !== true) return resolve();
    stream.once("close", () => resolve());
    stream.end(() => resolve());
  });
}
