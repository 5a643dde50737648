import type { Scope } from "../../base/scope.ts";
import { listNftRules, type NftChain } from "../../host/nft.ts";
import type { FirewallObstacle, HostSide } from "../types.ts";
import { isIptables } from "./iptables.ts";
import { type SamplePacket, verdictOf } from "./verdict.ts";

/** What pods must be able to do, and a packet that does it. */
interface Errand {
  readonly hook: "forward" | "input";
  readonly what: string;
  readonly packet: SamplePacket;
}

/**
 * Base chains of other people's nftables that drop what pods send: no rule of ours can let pass what another table
 * drops (nft(8)). iptables' chains are left out where they can be opened by iptables. `ownTable` says which tables are a
 * node's own.
 */
export async function findObstacles(
  hostSide: HostSide,
  chains: readonly NftChain[],
  ownTable: (table: string) => boolean,
  scope: Scope,
): Promise<readonly FirewallObstacle[]> {
  const obstacles: FirewallObstacle[] = [];
  for (const chain of chains) {
    if (chain.type !== "filter" || (chain.family !== "ip" && chain.family !== "inet")) continue;
    const errands = errandsOf(hostSide).filter(({ hook }) => hook === chain.hook);
    if (errands.length === 0 || ownTable(chain.table) || (await isIptables(chain, scope))) continue;
    // A table that goes away in between stands in nobody's way.
    const rules = await listNftRules(chain.family, chain.table, scope).catch(() => undefined);
    if (rules === undefined) continue;
    const stopped = errands.filter(({ packet }) => verdictOf(chain, rules, packet) === "drop");
    if (stopped.length > 0) obstacles.push(obstacle(chain, hostSide.link, stopped));
  }
  return obstacles;
}

function errandsOf({ link, address }: HostSide): readonly Errand[] {
  const base = address.replace(/\d+$/, "");
  const [first, second] = [`${base}2`, `${base}3`];
  const fromPod = { iifname: link, saddr: first, protocol: "tcp", isTranslated: false } as const;
  return [
    {
      hook: "forward",
      what: "what pods send each other",
      packet: { ...fromPod, oifname: link, daddr: second },
    },
    {
      hook: "forward",
      what: "what pods send to the outside",
      packet: { ...fromPod, oifname: undefined, daddr: undefined },
    },
    {
      hook: "input",
      what: "pods' questions for names",
      packet: { ...fromPod, oifname: undefined, daddr: address, protocol: "udp", isTranslated: true },
    },
  ];
}

function obstacle(chain: NftChain, link: string, stopped: readonly Errand[]): FirewallObstacle {
  const name = `${chain.family} ${chain.table} ${chain.name}`;
  const insert = (match: string) => `nft insert rule ${name} ${match} accept`;
  return {
    chain: name,
    reason: chain.policy === "drop" ? "policy drop" : "its rules",
    drops: stopped.map(({ what }) => what),
    remedy:
      chain.hook === "input"
        ? [insert(`iifname ${link} ct status dnat`)]
        : [insert(`iifname ${link}`), insert(`oifname ${link}`)],
  };
}
