import type { InternetSocket, SocketAddress } from "../host/sockets.ts";
import { endpointOf } from "./fact.ts";
import type { Owners } from "./owners.ts";
import type { ObservedProcess, PodSnapshot } from "./snapshot.ts";
import type { ChannelEndpoint, ObservedPod } from "./types.ts";

/** A server of a port: which container, and the process where it is still there. */
export interface Listener {
  readonly container: string;
  readonly process: ObservedProcess | undefined;
  readonly socket: InternetSocket | undefined;
}

/** Who serves which address and port in a pod, now or in an earlier look. */
export class Listeners {
  readonly #byPort = new Map<number, (Listener & { readonly address: string })[]>();

  constructor(
    protocol: "TCP" | "UDP",
    sockets: readonly InternetSocket[],
    owners: Owners,
    known: PodSnapshot["knownListeners"],
  ) {
    for (const socket of sockets) {
      const process = owners.holder(socket.inode);
      if (process === undefined) continue;
      this.#add(socket.local, { container: process.container, process, socket });
    }
    for (const listener of known) {
      if (listener.protocol !== protocol || this.at(listener).length > 0) continue;
      this.#add(listener, { container: listener.container, process: undefined, socket: undefined });
    }
  }

  #add({ address, port }: SocketAddress, listener: Listener): void {
    const entry = { ...listener, address };
    const present = this.#byPort.get(port);
    if (present === undefined) this.#byPort.set(port, [entry]);
    else present.push(entry);
  }

  /**
   * Who answers at this address: a socket bound to it, or else one bound to all addresses. More than one where
   * several share the port (SO_REUSEPORT).
   */
  at({ address, port }: SocketAddress): readonly Listener[] {
    const candidates = this.#byPort.get(port) ?? [];
    const exact = candidates.filter((each) => each.address === address);
    if (exact.length > 0) return exact;
    // An IPv6 wildcard takes IPv4 too unless it says otherwise (IPV6_V6ONLY), which the tables don't show.
    return candidates.filter(
      (each) => each.address === "::" || (each.address === "0.0.0.0" && !address.includes(":")),
    );
  }

  /** All sockets that listen, with who does. */
  *all(): Generator<Listener & { readonly address: string; readonly port: number }> {
    for (const [port, listeners] of this.#byPort) {
      for (const listener of listeners) yield { ...listener, port };
    }
  }
}

/** The server's end of a channel: who listens there, or the address alone where that is not known. */
export function serverEnd(
  at: SocketAddress,
  listener: Pick<Listener, "container" | "process"> | undefined,
): ChannelEndpoint {
  if (listener === undefined) return { role: "Server", path: formatAddress(at) };
  const { container, process } = listener;
  return process === undefined ? { container, role: "Server" } : endpointOf(process, "Server");
}

/** `127.0.0.1:8080`, `[::1]:8080`. */
export function formatAddress({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether packets to this address stay in the pod. */
export function isPodAddress(pod: ObservedPod, address: string): boolean {
  return address.startsWith("127.") || address === "::1" || pod.ips.includes(address);
}

/** Whether the serving container's declared ports name this one; undefined when the server is not known. */
export function isDeclared(
  pod: ObservedPod,
  container: string | undefined,
  port: number,
  protocol: "TCP" | "UDP",
): boolean | undefined {
  const found = pod.containers.find(({ name }) => name === container);
  return found?.ports.some((each) => each.containerPort === port && each.protocol === protocol);
}
