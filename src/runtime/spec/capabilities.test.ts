import { expect, test } from "vitest";
import type { SecurityContext } from "../../kube/types.ts";
import { capabilities, defaultCapabilities } from "./capabilities.ts";
import { capabilityNames } from "./capability-names.ts";

/** Everything but SYS_RESOURCE, as on a machine that lacks it. */
const available = capabilityNames("1fffeffffff");

const cases: { name: string; context: SecurityContext | undefined; has: string[]; lacks: string[] }[] = [
  { name: "default", context: undefined, has: ["CHOWN", "KILL"], lacks: ["SYS_ADMIN", "NET_ADMIN"] },
  {
    name: "add",
    context: { capabilities: { add: ["NET_ADMIN"] } },
    has: ["NET_ADMIN", "CHOWN"],
    lacks: ["SYS_ADMIN"],
  },
  { name: "drop", context: { capabilities: { drop: ["CHOWN"] } }, has: ["KILL"], lacks: ["CHOWN"] },
  {
    name: "drop all, add one",
    context: { capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } },
    has: ["NET_BIND_SERVICE"],
    lacks: ["CHOWN", "KILL"],
  },
  {
    name: "add all, drop one",
    context: { capabilities: { add: ["ALL"], drop: ["SYS_ADMIN"] } },
    has: ["NET_ADMIN"],
    lacks: ["SYS_ADMIN", "SYS_RESOURCE"],
  },
  { name: "privileged", context: { privileged: true }, has: ["SYS_ADMIN"], lacks: ["SYS_RESOURCE"] },
  {
    name: "any spelling",
    context: { capabilities: { add: ["cap_net_admin"] } },
    has: ["NET_ADMIN"],
    lacks: [],
  },
];

test.each(cases)("$name", ({ context, has, lacks }) => {
  const { bounding, effective, permitted } = capabilities(context, available);
  expect(effective).toEqual(bounding);
  expect(permitted).toEqual(bounding);
  expect(bounding).toEqual(expect.arrayContaining(has.map((name) => `CAP_${name}`)));
  for (const name of lacks) expect(bounding).not.toContain(`CAP_${name}`);
});

test("the default is what containerd gives", () => {
  const list = capabilities(undefined, available).bounding;
  expect([...list].sort()).toEqual([...defaultCapabilities].sort());
});

test("refuses capabilities that do not exist or that the daemon lacks", () => {
  expect(() => capabilities({ capabilities: { add: ["FLY"] } }, available)).toThrow("unknown capability FLY");
  expect(() => capabilities({ capabilities: { add: ["SYS_RESOURCE"] } }, available)).toThrow(
    "capability SYS_RESOURCE cannot be added: the node daemon itself does not have it",
  );
});

test("reads masks", () => {
  expect(capabilityNames("0000000000000003")).toEqual(["CAP_CHOWN", "CAP_DAC_OVERRIDE"]);
  expect(capabilityNames("10000000000")).toEqual(["CAP_CHECKPOINT_RESTORE"]);
});
