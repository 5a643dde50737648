import { Duplex } from "node:stream";
import type WebSocket from "ws";
import { explain } from "../../base/errors.ts";
import { type ConnectToPort, forwardConnection } from "./port-forward.ts";
import { sendMessage } from "./websocket-peer.ts";

/**
 * The WebSocket subprotocols of port-forward without SPDY, as client libraries speak them: for the n-th port of the
 * request channel 2n carries data and channel 2n+1 errors; the server's first message on each is the port's number.
 * One WebSocket is one connection to each of its ports.
 */
export const portForwardProtocols = ["v4.channel.k8s.io", "portforward.k8s.io"] as const;

/** Serves one such WebSocket until its connections have ended. */
export async function servePortForwardMessages(
  socket: WebSocket,
  ports: readonly number[],
  pod: string,
  connect: ConnectToPort,
): Promise<void> {
  const ends = ports.map((_, index) => channelStream(socket, index * 2));
  socket.on("message", (message: Buffer) => {
    const channel = message[0] ?? 0;
    const end = channel % 2 === 0 ? ends[channel / 2] : undefined;
    if (end !== undefined && !end.readableEnded && !end.push(message.subarray(1))) socket.pause();
  });
  socket.on("close", () => {
    for (const end of ends) end.push(null);
  });
  socket.on("error", () => {
    for (const end of ends) end.destroy();
  });
  await Promise.all(
    ports.map(async (port, index) => {
      const end = ends[index] as Duplex;
      const number = Buffer.alloc(2);
      number.writeUInt16LE(port);
      await sendMessage(socket, index * 2, number);
      await sendMessage(socket, index * 2 + 1, number);
      try {
        await forwardConnection(end, port, pod, connect);
      } catch (error) {
        await sendMessage(socket, index * 2 + 1, Buffer.from(explain(error)));
        end.destroy();
      }
    }),
  );
  socket.close(1000);
}

/**
 * The data channel of one port. No message can say that it was the last, only the close of the socket can: when the
 * pod has sent all it has, the client's side counts as ended too.
 */
function channelStream(socket: WebSocket, channel: number): Duplex {
  return new Duplex({
    read: () => socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      void sendMessage(socket, channel, chunk).then(() => done());
    },
    final(done) {
      this.push(null);
      done();
    },
  });
}
