import { normalizeAddress } from "./sockets.ts";

/**
 * The nft table that counts a pod's traffic by container: how it is named and read. `network` writes it and
 * `channels` reads it, and neither imports the other.
 */
export const trafficTable = "peapod";

/**
 * What a set counts, which is also how its name begins. `peers`: to which servers the container connected (no
 * counts); `connects`: its attempts to connect (SYNs); `connected`: those that were answered (SYN and ACK); `sent`,
 * `received`: its packets to and from them, but for refusals (RST); `accepts`: SYNs that came from outside the
 * pod, by the caller's address and the container's port.
 */
export type TrafficSet = "peers" | "connects" | "connected" | "sent" | "received" | "accepts";

/** Name of a container's set. nft names have no `-`, container names no `_` (RFC 1123 labels). */
export function trafficSetName(set: TrafficSet, family: 4 | 6, container: string): string {
  return `${set}${family}_${container.replaceAll("-", "_")}`;
}

/** One counter: what `container` did with one remote address and port since the table was made. */
export interface TrafficCount {
  readonly set: Exclude<TrafficSet, "peers">;
  readonly container: string;
  readonly protocol: "TCP" | "UDP";
  readonly address: string;
  readonly port: number;
  readonly packets: number;
  /** On the wire: with the headers of IP and above. */
  readonly bytes: number;
}

interface ListedSet {
  readonly set?: {
    readonly name: string;
    readonly table: string;
    readonly elem?: readonly {
      readonly elem?: {
        readonly val: { readonly concat?: readonly (string | number)[] };
        readonly counter?: { readonly packets: number; readonly bytes: number };
      };
    }[];
  };
}

const setName = /^(connects|connected|sent|received|accepts)[46]_(.+)$/;

/** Parses `nft -j list sets inet`. Throws a SyntaxError when the text is not JSON. */
export function parseTrafficCounts(text: string): TrafficCount[] {
  const listed = JSON.parse(text) as { nftables?: readonly ListedSet[] };
  return (listed.nftables ?? []).flatMap(({ set }) => {
    const match = setName.exec(set?.name ?? "");
    if (set === undefined || set.table !== trafficTable || match === null) return [];
    return (set.elem ?? []).flatMap(({ elem }) => {
      const key = elem?.val.concat ?? [];
      if (elem?.counter === undefined || key.length < 2) return [];
      const [protocol, address, port] = key.length === 3 ? key : ["tcp", ...key];
      return [
        {
          set: match[1] as TrafficCount["set"],
          container: (match[2] ?? "").replaceAll("_", "-"),
          protocol: protocol === "udp" || protocol === 17 ? ("UDP" as const) : ("TCP" as const),
          address: normalizeAddress(String(address)),
          port: Number(port),
          packets: elem.counter.packets,
          bytes: elem.counter.bytes,
        },
      ];
    });
  });
}
