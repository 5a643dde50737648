import type { Duplex } from "node:stream";
import { explain } from "../../base/errors.ts";
import { SpdyConnection } from "../../spdy/connection.ts";
import type { SpdyStream } from "../../spdy/stream.ts";
import { type ConnectToPort, forwardConnection } from "./port-forward.ts";

/** What `X-Stream-Protocol-Version` names for port-forward by SPDY. */
export const spdyPortForwardProtocol = "portforward.k8s.io";
/** The WebSocket subprotocol whose binary messages are a SPDY connection, which kubectl speaks since 1.31. */
export const tunneledPortForwardProtocol = "SPDY/3.1+portforward.k8s.io";

/**
 * Serves port-forward on a SPDY connection until it ends: for each connection that the client forwards it opens an
 * error and a data stream with the same `requestid`
 * (https://pkg.go.dev/k8s.io/client-go/tools/portforward). What goes wrong with one is said on its error stream
 * and leaves the others alone.
 */
export function servePortForward(transport: Duplex, pod: string, connect: ConnectToPort): Promise<void> {
  const waiting = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
  const connection = new SpdyConnection(transport, "server", (stream) => {
    const kind = stream.headers.streamtype;
    const port = Number(stream.headers.port);
    if ((kind !== "error" && kind !== "data") || !Number.isInteger(port) || port < 1 || port > 65_535) {
      stream.destroy();
      return;
    }
    // Clients before 1.4 send no number: the data stream is the one after the error stream.
    const id = stream.headers.requestid ?? String(kind === "error" ? stream.id : stream.id - 2);
    const pair = waiting.get(id) ?? {};
    waiting.set(id, pair);
    pair[kind] = stream;
    stream.once("close", () => {
      if (waiting.get(id) === pair) waiting.delete(id);
    });
    if (pair.error === undefined || pair.data === undefined) return;
    waiting.delete(id);
    void forwardPair(pair.error, pair.data, port, pod, connect);
  });
  return connection.closed;
}

async function forwardPair(
  error: SpdyStream,
  data: SpdyStream,
  port: number,
  pod: string,
  connect: ConnectToPort,
): Promise<void> {
  error.resume();
  try {
    await forwardConnection(data, port, pod, connect);
  } catch (failure) {
    error.write(explain(failure));
    data.resume();
    data.end();
  }
  error.end();
}
