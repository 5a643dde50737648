import type { NftChain, NftRule } from "../../host/nft.ts";
import { overlaps, parseAddress, parseSubnet } from "../ipv4.ts";

/** A packet of a new connection, as far as rules may ask about it. */
export interface SamplePacket {
  readonly iifname: string;
  /** Undefined: not known, or none since it is for the host itself. */
  readonly oifname: string | undefined;
  readonly saddr: string;
  readonly daddr: string | undefined;
  readonly protocol: "tcp" | "udp";
  /** Whether it was asked of a Service. */
  readonly isTranslated: boolean;
}

/** What becomes of a packet in a chain. `unsure`: it may be accepted, by something that can't be told from here. */
export type Verdict = "accept" | "drop" | "unsure";

/** Yes, no, or perhaps. A condition that concerns only some connections (`tcp dport 22`) is a no. */
type Match = true | false | "perhaps";
type Outcome = "accept" | "drop" | "return" | "next";
type Expression = Readonly<Record<string, unknown>>;

/**
 * What a base chain does with a packet, by its rules and policy as libnftables-json(5) has them. Only what is certain is
 * called `drop`.
 */
export function verdictOf(base: NftChain, rules: readonly NftRule[], packet: SamplePacket): Verdict {
  let unsure = false;

  const walk = (chain: string, depth: number): Outcome => {
    if (depth > 16) return "next";
    for (const { expr } of rules.filter((rule) => rule.chain === chain)) {
      const outcome = apply(expr, depth);
      if (outcome === "return") return "next";
      if (outcome !== "next") return outcome;
    }
    return "next";
  };

  const apply = (expressions: readonly Expression[], depth: number): Outcome => {
    let perhaps = false;
    for (const expression of expressions) {
      if ("match" in expression) {
        const matched = match(expression.match as MatchExpression, packet);
        if (matched === false) return "next";
        if (matched === "perhaps") perhaps = true;
        continue;
      }
      // What only iptables understands: a condition of some kind.
      if ("xt" in expression) return "next";
      const verdict = "vmap" in expression ? mapped(expression.vmap as VerdictMap, packet) : expression;
      if (verdict === "perhaps") {
        unsure = true;
        continue;
      }
      const outcome = verdict === undefined ? undefined : decide(verdict, depth);
      if (outcome === undefined || outcome === "next") continue;
      if (!perhaps) return outcome;
      if (outcome === "accept") unsure = true;
      return "next";
    }
    return "next";
  };

  const decide = (verdict: Expression, depth: number): Outcome | undefined => {
    if ("accept" in verdict) return "accept";
    if ("drop" in verdict || "reject" in verdict) return "drop";
    if ("return" in verdict) return "return";
    if ("jump" in verdict) return walk((verdict.jump as { target: string }).target, depth + 1);
    if ("goto" in verdict) {
      const outcome = walk((verdict.goto as { target: string }).target, depth + 1);
      return outcome === "next" ? "return" : outcome;
    }
    return undefined;
  };

  const outcome = walk(base.name, 0);
  if (outcome === "accept") return "accept";
  if (outcome !== "drop" && base.policy !== "drop") return "accept";
  return unsure ? "unsure" : "drop";
}

interface MatchExpression {
  readonly op: string;
  readonly left: unknown;
  readonly right: unknown;
}

interface VerdictMap {
  readonly key: unknown;
  readonly data: unknown;
}

function match({ op, left, right }: MatchExpression, packet: SamplePacket): Match {
  const values = valuesOf(left, packet);
  if (values === undefined) return false;
  const matched = values === "unknown" ? "perhaps" : isAmong(values, right);
  if (matched === "perhaps") return "perhaps";
  return op === "!=" ? !matched : matched;
}

function mapped({ key, data }: VerdictMap, packet: SamplePacket): Expression | "perhaps" | undefined {
  const values = valuesOf(key, packet);
  if (values === undefined) return undefined;
  const pairs = (data as { set?: unknown }).set;
  if (values === "unknown" || !Array.isArray(pairs)) return "perhaps";
  const pair = (pairs as [unknown, Expression][]).find(([value]) => isAmong(values, value) === true);
  return pair?.[1];
}

/** What the packet has there; undefined for what only some connections have. */
function valuesOf(left: unknown, packet: SamplePacket): readonly string[] | "unknown" | undefined {
  const { meta, payload, ct } = left as {
    meta?: { key: string };
    payload?: { protocol?: string; field?: string };
    ct?: { key: string };
  };
  if (meta?.key === "iifname" || meta?.key === "iif") return [packet.iifname];
  if (meta?.key === "oifname" || meta?.key === "oif") return known(packet.oifname);
  if (meta?.key === "l4proto") return [packet.protocol];
  if (meta?.key === "nfproto") return ["ipv4"];
  if (meta?.key === "protocol") return ["ip"];
  if (payload?.protocol === "ip" && payload.field === "saddr") return [packet.saddr];
  if (payload?.protocol === "ip" && payload.field === "daddr") return known(packet.daddr);
  if (payload?.protocol === "ip" && payload.field === "protocol") return [packet.protocol];
  if (ct?.key === "state") return ["new"];
  if (ct?.key === "status") return packet.isTranslated ? ["dnat"] : [];
  return undefined;
}

function known(value: string | undefined): readonly string[] | "unknown" {
  return value === undefined ? "unknown" : [value];
}

/** Whether one of the values is what `right` says: a word, a pattern `eth*`, a block of addresses, a set of those. */
function isAmong(values: readonly string[], right: unknown): Match {
  if (Array.isArray(right)) return right.some((each) => isAmong(values, each) === true);
  if (typeof right === "string") {
    // A named set, whose elements aren't known.
    if (right.startsWith("@")) return "perhaps";
    if (right.endsWith("*")) return values.some((value) => value.startsWith(right.slice(0, -1)));
    return values.includes(right);
  }
  if (typeof right !== "object" || right === null) return false;
  const { set, prefix, range } = right as {
    set?: unknown;
    prefix?: { addr: string; len: number };
    range?: readonly [string, string];
  };
  if (set !== undefined) return isAmong(values, Array.isArray(set) ? set : [set]);
  if (prefix !== undefined) {
    const block = parseSubnet(`${prefix.addr}/${prefix.len}`);
    return (
      block !== undefined &&
      values.some((value) => {
        const one = parseSubnet(value);
        return one !== undefined && overlaps(one, block);
      })
    );
  }
  if (range !== undefined) {
    const [first, last] = range.map((each) => parseAddress(String(each)));
    return values.some((value) => {
      const address = parseAddress(value);
      return (
        address !== undefined &&
        first !== undefined &&
        last !== undefined &&
        address >= first &&
        address <= last
      );
    });
  }
  return false;
}
