import { expect, test } from "vitest";
import { parseTrafficCounts, trafficSetName } from "./traffic-table.ts";

test("set names hold the container's name in a form that nft takes", () => {
  expect(trafficSetName("sent", 4, "container-a")).toBe("sent4_container_a");
});

test("parseTrafficCounts reads counted elements of the table's own sets", () => {
  const set = (name: string, elem: object[], table = "peapod") => ({
    set: { family: "inet", name, table, elem },
  });
  const element = (concat: (string | number)[], packets: number, bytes: number) => ({
    elem: { val: { concat }, expires: 3599, counter: { packets, bytes } },
  });
  const text = JSON.stringify({
    nftables: [
      { metainfo: { version: "1.0.6" } },
      set("peers4_b", [{ elem: { val: { concat: ["127.0.0.1", 8080] }, expires: 3599 } }]),
      set("connects4_container_b", [element(["127.0.0.1", 8080], 4, 240)]),
      set("sent4_container_b", [
        element(["tcp", "127.0.0.1", 8080], 26, 1716),
        element(["udp", "127.0.0.1", 53], 1, 40),
      ]),
      set("received6_b", [element(["tcp", "::1", 8080], 1, 80)]),
      set("sent4_b", [element(["tcp", "10.0.0.1", 1], 1, 1)], "someone-elses"),
    ],
  });
  expect(parseTrafficCounts(text)).toEqual([
    {
      set: "connects",
      container: "container-b",
      protocol: "TCP",
      address: "127.0.0.1",
      port: 8080,
      packets: 4,
      bytes: 240,
    },
    {
      set: "sent",
      container: "container-b",
      protocol: "TCP",
      address: "127.0.0.1",
      port: 8080,
      packets: 26,
      bytes: 1716,
    },
    {
      set: "sent",
      container: "container-b",
      protocol: "UDP",
      address: "127.0.0.1",
      port: 53,
      packets: 1,
      bytes: 40,
    },
    { set: "received", container: "b", protocol: "TCP", address: "::1", port: 8080, packets: 1, bytes: 80 },
  ]);
});
