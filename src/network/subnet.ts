import { PeapodError } from "../base/errors.ts";
import { instanceNumber } from "./instance-number.ts";
import { formatSubnet, overlaps, parseSubnet, type Subnet } from "./ipv4.ts";

/** A route or address that this machine has already. */
export interface TakenRoute {
  readonly dst: string;
  readonly dev?: string;
}

/**
 * The subnet for a node's pods: the first of `candidates` that overlaps no route or address of this machine. The
 * default route counts for nothing, nor do routes of `bridge` itself. Throws ServiceUnavailable when all are taken.
 */
export function chooseSubnet(
  candidates: readonly Subnet[],
  taken: readonly TakenRoute[],
  bridge: string,
): Subnet {
  const blocks = taken
    .filter((route) => route.dst !== "default" && route.dev !== bridge)
    .map((route) => parseSubnet(route.dst))
    .filter((block) => block !== undefined && block.prefix > 0);
  const free = candidates.find((candidate) => blocks.every((block) => block && !overlaps(candidate, block)));
  if (free !== undefined) return free;
  const names = candidates.length === 1 ? formatSubnet(candidates[0] as Subnet) : "10.244.0.0/16";
  throw new PeapodError(
    "ServiceUnavailable",
    `pod network: ${names} overlaps routes of this machine (ip route show table all)`,
  );
}

/**
 * 10.244.N.0/24 for all N, the order turned by the instance's name so that nodes which start side by side do not
 * reach for the same one; the default instance begins with 10.244.0.0/24.
 */
export function defaultSubnets(instance: string): readonly Subnet[] {
  const start = instanceNumber(instance);
  return Array.from({ length: 256 }, (_, index) => ({
    first: 10 * 2 ** 24 + 244 * 2 ** 16 + ((start + index) % 256) * 256,
    prefix: 24,
  }));
}
