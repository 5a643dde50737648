import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { explain } from "../../base/errors.ts";

/** Opens a connection to a port inside the pod. Rejects when nobody listens there. */
export type ConnectToPort = (port: number) => Promise<Duplex>;

/**
 * Joins the client's end of a forwarded connection with a new one to the pod's port, each direction until its own
 * end, and resolves when both have ended. Rejects with the kubelet's words when the pod does not answer; the
 * client's stream is then left to the caller.
 */
export async function forwardConnection(
  client: Duplex,
  port: number,
  pod: string,
  connect: ConnectToPort,
): Promise<void> {
  let target: Duplex;
  try {
    target = await connect(port);
  } catch (error) {
    throw new Error(`error forwarding port ${port} to pod ${pod}: ${explain(error)}`, { cause: error });
  }
  // What breaks off on one side breaks off on the other: a reset is not the end of a stream.
  await Promise.allSettled([pipeline(client, target), pipeline(target, client)]);
  client.destroy();
  target.destroy();
}
