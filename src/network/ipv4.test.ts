import { describe, expect, test } from "vitest";
import {
  formatAddress,
  formatSubnet,
  macAddressFor,
  overlaps,
  parseAddress,
  parseSubnet,
  podSubnet,
  type Subnet,
} from "./ipv4.ts";

const subnet = (text: string) => parseSubnet(text) as Subnet;

describe("addresses", () => {
  test.each(["0.0.0.0", "10.244.0.1", "127.0.0.1", "255.255.255.255"])("%s is read and written", (text) => {
    expect(formatAddress(parseAddress(text) ?? -1)).toBe(text);
  });
  test.each(["", "10.0.0", "10.0.0.256", "10.0.0.01", "10.0.0.1.1", "::1", "a.b.c.d", "1e1.0.0.0"])(
    "%j is none",
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );
  test("have a MAC address each", () => {
    expect(macAddressFor(parseAddress("10.244.3.255") ?? 0)).toBe("0a:58:0a:f4:03:ff");
  });
});

describe("subnets", () => {
  test.each([
    ["10.244.3.7/24", "10.244.3.0/24"],
    ["192.0.2.2", "192.0.2.2/32"],
    ["default", "0.0.0.0/0"],
  ])("%s is %s", (text, expected) => {
    expect(formatSubnet(subnet(text))).toBe(expected);
  });
  test.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "fd00::/64"])("%j is none", (text) => {
    expect(parseSubnet(text)).toBeUndefined();
  });
  test.each([
    ["10.244.0.0/24", "10.244.0.0/16", true],
    ["10.244.0.0/16", "10.244.255.1", true],
    ["10.244.0.0/24", "10.244.1.0/24", false],
    ["0.0.0.0/0", "255.255.255.255", true],
  ])("%s and %s overlap: %s", (one, other, expected) => {
    expect(overlaps(subnet(one), subnet(other))).toBe(expected);
    expect(overlaps(subnet(other), subnet(one))).toBe(expected);
  });
  test.each(["10.0.0.0", "10.0.0.0/30", "0.0.0.0/0", "x/24"])("%j can't be a pod subnet", (text) => {
    expect(() => podSubnet(text)).toThrow("must be an IPv4 block between /8 and /29");
  });
});
