import { expect, test } from "vitest";
import { formatSubnet, podSubnet } from "./ipv4.ts";
import { chooseSubnet, defaultSubnets } from "./subnet.ts";

const candidates = defaultSubnets("peapod");
const chosen = (routes: { dst: string; dev?: string }[]) =>
  formatSubnet(chooseSubnet(candidates, routes, "peapod0"));

test("the first subnet is taken where nothing is in the way", () => {
  expect(
    chosen([
      { dst: "default", dev: "eth0" },
      { dst: "192.0.2.0/24", dev: "eth0" },
    ]),
  ).toBe("10.244.0.0/24");
});

test("subnets that overlap a route or an address are passed over, the bridge's own are not", () => {
  expect(
    chosen([
      { dst: "10.244.0.0/23", dev: "vpn0" },
      { dst: "10.244.2.9", dev: "lo" },
    ]),
  ).toBe("10.244.3.0/24");
  expect(
    chosen([
      { dst: "10.244.0.0/24", dev: "peapod0" },
      { dst: "10.244.0.1", dev: "peapod0" },
    ]),
  ).toBe("10.244.0.0/24");
});

test("all taken is an error that says how to look", () => {
  expect(() => chosen([{ dst: "10.0.0.0/8", dev: "vpn0" }])).toThrow(
    "10.244.0.0/16 overlaps routes of this machine",
  );
  expect(() => chooseSubnet([podSubnet("10.9.0.0/24")], [{ dst: "10.9.0.0/16" }], "peapod0")).toThrow(
    "10.9.0.0/24",
  );
});

test("other instances begin elsewhere and still know all subnets", () => {
  const other = defaultSubnets("peaabcdef").map(formatSubnet);
  expect(new Set(other).size).toBe(256);
  expect(other[0]).not.toBe("10.244.0.0/24");
  expect(other.toSorted()).toEqual(candidates.map(formatSubnet).toSorted());
});
