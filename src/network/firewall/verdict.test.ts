import { expect, test } from "vitest";
import type { NftRule } from "../../host/nft.ts";
import { type SamplePacket, type Verdict, verdictOf } from "./verdict.ts";

const between: SamplePacket = {
  iifname: "peapod0",
  oifname: "peapod0",
  saddr: "10.244.0.2",
  daddr: "10.244.0.3",
  protocol: "tcp",
  isTranslated: false,
};
const outgoing: SamplePacket = { ...between, oifname: undefined, daddr: undefined };

type Expressions = readonly Record<string, unknown>[];
const on = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
const meta = (key: string) => ({ meta: { key } });
const accept = { accept: null };
const drop = { drop: null };
const jump = (target: string) => ({ jump: { target } });

/** Rules of chain `forward` as they are, of others by name. */
const rules = (forward: readonly Expressions[], others: Record<string, readonly Expressions[]> = {}) =>
  Object.entries({ forward, ...others }).flatMap(([chain, all]): NftRule[] =>
    all.map((expr) => ({ chain, expr })),
  );

test.each<[string, string, readonly NftRule[], SamplePacket, Verdict]>([
  ["an empty chain with policy accept", "accept", [], between, "accept"],
  ["an empty chain with policy drop", "drop", [], between, "drop"],
  ["a last rule without condition", "accept", rules([[{ reject: null }]]), between, "drop"],
  [
    "answers only",
    "drop",
    rules([[on({ ct: { key: "state" } }, ["established", "related"], "in"), accept]]),
    between,
    "drop",
  ],
  ["some ports only", "drop", rules([[on({ payload: { protocol: "tcp" } }, 22), accept]]), between, "drop"],
  [
    "drops of some ports",
    "accept",
    rules([[on({ payload: { protocol: "tcp" } }, 22), drop]]),
    between,
    "accept",
  ],
  ["another bridge", "drop", rules([[on(meta("iifname"), "docker0"), accept]]), between, "drop"],
  ["the bridge", "drop", rules([[on(meta("iifname"), "peapod0"), accept]]), between, "accept"],
  ["the bridge by a pattern", "drop", rules([[on(meta("iifname"), "pea*"), accept]]), between, "accept"],
  [
    "the bridge in a set, with a counter",
    "drop",
    rules([[on(meta("oifname"), { set: ["eth0", "peapod0"] }), { counter: null }, accept]]),
    between,
    "accept",
  ],
  [
    "its addresses",
    "drop",
    rules([
      [on({ payload: { protocol: "ip", field: "saddr" } }, { prefix: { addr: "10.0.0.0", len: 8 } }), accept],
    ]),
    between,
    "accept",
  ],
  ["all but the uplink", "drop", rules([[on(meta("iifname"), "eth0", "!="), accept]]), between, "accept"],
  ["a named set of links", "drop", rules([[on(meta("iifname"), "@inner"), accept]]), between, "unsure"],
  [
    "out by the uplink, whichever it is",
    "drop",
    rules([[on(meta("oifname"), "eth0"), accept]]),
    outgoing,
    "unsure",
  ],
  [
    "another chain",
    "drop",
    rules([[jump("zones")]], {
      zones: [[on(meta("iifname"), "peapod0"), { goto: { target: "trusted" } }]],
      trusted: [[accept]],
    }),
    between,
    "accept",
  ],
  [
    "another chain that returns",
    "drop",
    rules([[jump("zones")]], { zones: [[{ return: null }], [accept]] }),
    between,
    "drop",
  ],
  [
    "a map of states",
    "drop",
    rules(
      [
        [
          {
            vmap: {
              key: { ct: { key: "state" } },
              data: {
                set: [
                  ["established", accept],
                  ["new", jump("fresh")],
                ],
              },
            },
          },
        ],
      ],
      {
        fresh: [[on(meta("iifname"), "peapod0"), accept]],
      },
    ),
    between,
    "accept",
  ],
  ["what only iptables understands", "drop", rules([[{ xt: { type: "match" } }, accept]]), between, "drop"],
])("%s, policy %s", (_, policy, all, packet, expected) => {
  const base = { family: "inet", table: "filter", name: "forward", type: "filter", hook: "forward", policy };
  expect(verdictOf(base, all, packet)).toBe(expected);
});
