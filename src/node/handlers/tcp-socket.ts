import { connect } from "node:net";

/** Opens a TCP connection and closes it at once. Rejects with the network's error or the signal's reason. */
export function tcpConnect(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    const settle = (how: () => void) => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      how();
    };
    socket.once("connect", () => settle(resolve));
    socket.once("error", (error) => settle(() => reject(error)));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
