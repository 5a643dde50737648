import { expect, test } from "vitest";
import { formatAddress } from "../ipv4.ts";
import { serviceRange } from "./service-range.ts";

test.each<[string | undefined, string, string]>([
  ["10.244.0.0/24", "10.96.0.1", "10.96.15.254"],
  ["10.244.1.0/24", "10.96.16.1", "10.96.31.254"],
  ["10.244.255.0/24", "10.111.240.1", "10.111.255.254"],
  ["192.168.9.0/24", "10.96.0.1", "10.96.15.254"],
  [undefined, "10.96.0.1", "10.96.15.254"],
])("Services beside pods of %s have %s to %s", (subnet, first, last) => {
  const range = serviceRange(subnet, "peapod");
  expect([formatAddress(range.first), formatAddress(range.last)]).toEqual([first, last]);
});
