import { PassThrough } from "node:stream";
import type WebSocket from "ws";
import { decodeSize, type RemoteCommandPeer } from "./peer.ts";

const firstProtocol = "channel.k8s.io";

/**
 * The WebSocket subprotocols of exec and attach: every message is one byte that names a channel, then data
 * (https://pkg.go.dev/k8s.io/apimachinery/pkg/util/remotecommand). `v5` adds a message that closes a channel, so
 * that standard input can end before the connection does; the first one, without a version, says on the error channel
 * nothing of success, and of a failure its message alone.
 */
export const remoteCommandProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io", firstProtocol] as const;

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** A client that speaks this one of the protocols. Takes the socket over. */
export function webSocketPeer(socket: WebSocket, protocol: string): RemoteCommandPeer {
  const gone = new AbortController();
  const stdin = new PassThrough();
  let resize: (columns: number, rows: number) => void = () => {};
  socket.on("message", (message: Buffer) => {
    const data = message.subarray(1);
    switch (message[0]) {
      case channels.stdin:
        if (!stdin.writableEnded && !stdin.write(data)) {
          socket.pause();
          stdin.once("drain", () => socket.resume());
        }
        break;
      case channels.close:
        if (data[0] === channels.stdin) stdin.end();
        break;
      case channels.resize: {
        const size = decodeSize(data);
        if (size !== undefined) resize(size.columns, size.rows);
      }
    }
  });
  socket.on("close", () => {
    stdin.end();
    gone.abort();
  });
  // What follows is a close.
  socket.on("error", () => {});
  return {
    stdin,
    gone: gone.signal,
    send: (output, data) => sendMessage(socket, channels[output], data),
    async finish(status) {
      const said = protocol === firstProtocol ? status.message : JSON.stringify(status);
      if (said !== undefined) await sendMessage(socket, channels.error, Buffer.from(said));
      socket.close(1000);
    },
    onResize(listener) {
      resize = listener;
    },
  };
}

/** Sends data on a channel. Resolves when they have left, or when there is nobody to send them to any more. */
export function sendMessage(socket: WebSocket, channel: number, data: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    socket.send(Buffer.concat([Buffer.from([channel]), data]), () => resolve());
  });
}
