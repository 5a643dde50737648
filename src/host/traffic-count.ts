import type { CounterMap } from "./counter-maps.ts";
import { normalizeAddress } from "./sockets.ts";

/** Of src/network/counters/traffic.bpf.c. */
export const trafficMap: CounterMap = {
  shape: { keySize: 20, valueSize: 32, maxEntries: 4096 },
  name: "peapod_traffic",
  attachType: "sockOps",
};

/**
 * What a container did with one remote address and port since its counters were installed. `Called`: TCP servers that
 * it connected to; `Accepted`: TCP connections from outside of its network namespace, by the caller's address and
 * the container's port; `Sent`: UDP datagrams of sockets that are not connected; `Answered`: UDP datagrams that it
 * received by a call that asks where they come from; `Connected`: UDP sockets that were connected there and have been closed,
 * whether they sent anything or not.
 */
export interface TrafficCount {
  readonly kind: "Called" | "Accepted" | "Sent" | "Answered" | "Connected";
  readonly container: string;
  readonly address: string;
  readonly port: number;
  /** To connect, whether they succeeded or not. */
  readonly attempts: number;
  /** Connections made, datagrams, or sockets. */
  readonly count: number;
  /** Payload in bytes of those connections that have ended. */
  readonly sent: number;
  readonly received: number;
}

const kinds: Readonly<Record<number, TrafficCount["kind"]>> = {
  1: "Called",
  2: "Accepted",
  3: "Sent",
  4: "Answered",
  5: "Connected",
};

/** One element of the map; undefined for what the programs only note for themselves. */
export function trafficCount(container: string, element: Buffer): TrafficCount | undefined {
  const kind = kinds[element.readUInt8(18)];
  if (kind === undefined) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => element.readUInt16BE(index * 2).toString(16));
  const number = (index: number) => Number(element.readBigUInt64LE(trafficMap.shape.keySize + index * 8));
  return {
    kind,
    container,
    address: normalizeAddress(groups.join(":")),
    port: element.readUInt16LE(16),
    attempts: number(0),
    count: number(1),
    sent: number(2),
    received: number(3),
  };
}
