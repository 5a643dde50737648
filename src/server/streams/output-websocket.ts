import type WebSocket from "ws";

const base64Protocol = "base64.binary.k8s.io";

/**
 * The WebSocket subprotocols of output that only goes to the client, as of logs: a message is a piece of it, as it is
 * or encoded (https://pkg.go.dev/k8s.io/apiserver/pkg/util/wsstream#NewReader).
 */
export const outputProtocols = ["binary.k8s.io", base64Protocol] as const;

/** Sends all of the output, no faster than the client takes it, then closes. Resolves then, or when the client is gone. */
export async function serveOutput(
  socket: WebSocket,
  output: AsyncIterable<Uint8Array>,
  protocol: string,
): Promise<void> {
  // What follows an error is a close, after which sending fails.
  socket.on("error", () => {});
  for await (const piece of output) {
    const message = protocol === base64Protocol ? Buffer.from(piece).toString("base64") : piece;
    const sent = await new Promise<boolean>((resolve) => socket.send(message, (error) => resolve(!error)));
    if (!sent) return;
  }
  socket.close(1000);
}
