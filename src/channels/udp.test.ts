import { describe, expect, test } from "vitest";
import type { TrafficCount } from "../host/traffic-count.ts";
import { fakeProcess, fakeSnapshot, fakeSocket } from "./fake-snapshot.ts";
import type { PodSnapshot } from "./snapshot.ts";
import { udpChannels } from "./udp.ts";

const server = fakeSocket("127.0.0.1:5353", "0.0.0.0:0", "Close", 1);
const a = fakeProcess("a", 10, [{ inode: 1 }]);

function count(kind: TrafficCount["kind"], parts: Partial<TrafficCount> = {}): TrafficCount {
  const counts = { attempts: 0, count: 3, sent: 0, received: 0 };
  return { kind, container: "b", address: "127.0.0.1", port: 5353, ...counts, ...parts };
}

function channels(counts: readonly TrafficCount[]): string[] {
  return udpChannels(fakeSnapshot({ processes: [a], udp: [server], counts })).map(
    ({ endpoints, address, condition, readings }) =>
      `${endpoints.map(({ role, container }) => `${role} ${container ?? "?"}`).join(", ")} ${address} ${condition} ${readings[0]?.clientToServer?.operations ?? "?"}`,
  );
}

describe("datagrams that only the counters know of", () => {
  test.each([
    ["were sent without connect(2)", [count("Sent")], ["Server a, Client b 127.0.0.1:5353 Open 3"]],
    ["were asked from where they came", [count("Answered")], ["Server a, Client b 127.0.0.1:5353 Open ?"]],
    [
      "are of sockets that were connected: how many is unknown, also where others are counted",
      [count("Sent"), count("Connected")],
      ["Server a, Client b 127.0.0.1:5353 Open ?"],
    ],
    [
      "went outside",
      [count("Connected", { address: "10.88.0.1", port: 53 })],
      ["Server ?, Client b 10.88.0.1:53 Open ?", "Server a 127.0.0.1:5353 Listening ?"],
    ],
    [
      "went to a port that nobody serves",
      [count("Sent", { port: 5354 })],
      ["Client b 127.0.0.1:5354 Blocked ?", "Server a 127.0.0.1:5353 Listening ?"],
    ],
    [
      "went to a port that nobody serves any more, and were answered",
      [count("Sent", { port: 5354 }), count("Answered", { port: 5354 })],
      ["Server a 127.0.0.1:5353 Listening ?"],
    ],
    [
      "went to the server by another address, too",
      [count("Sent", { address: "10.88.0.2" }), count("Sent")],
      ["Server a, Client b 127.0.0.1:5353 Open 3"],
    ],
  ])("%s", (_, counts, expected) => {
    expect(channels(counts)).toEqual(expected);
  });

  test("went to the host's own resolver, from a pod on the host's network", () => {
    const { pod } = fakeSnapshot({});
    const counts = [count("Connected", { address: "127.0.0.53", port: 53 })];
    const facts = udpChannels(fakeSnapshot({ pod: { ...pod, netns: undefined }, counts }));
    expect(facts).toMatchObject([{ scope: "Egress", address: "127.0.0.53:53" }]);
  });

  test.each([
    [
      "glibc",
      [
        count("Connected", { address: "93.184.216.34", port: 443 }),
        count("Called", { address: "::1", port: 443 }),
      ],
    ],
    ["glibc, without a port", [count("Connected", { address: "93.184.216.34", port: 0 })]],
    ["Go", [count("Connected", { address: "93.184.216.34", port: 9 })]],
  ])("are none where a resolver only sorts addresses: %s", (_, counts) => {
    expect(channels(counts)).toEqual(["Server a 127.0.0.1:5353 Listening ?"]);
  });
});

describe("a connected socket without a server", () => {
  const b = fakeProcess("b", 20, [{ inode: 2 }]);
  const connected = (remote: string) => fakeSocket("127.0.0.1:40000", remote, "Established", 2);
  const states = (remote: string, parts: Partial<PodSnapshot> = {}) =>
    udpChannels(
      fakeSnapshot({ processes: [b], udp: [connected(remote)], earlierSockets: new Set([2]), ...parts }),
    ).map(({ condition, reason }) => `${condition}: ${reason}`);

  test("is blocked", () => {
    expect(states("127.0.0.1:8125")).toEqual(["Blocked: nothing receives on 127.0.0.1:8125"]);
  });

  test("may be a server that answers its client", () => {
    expect(states("127.0.0.1:40001")).toEqual([]);
    const client = fakeSocket("127.0.0.1:123", "127.0.0.1:40000", "Established", 3);
    expect(states("127.0.0.1:123", { udp: [connected("127.0.0.1:123"), client] })).toEqual([]);
  });

  test("may be a resolver's that only sorts addresses, if it is new", () => {
    expect(states("127.0.0.1:8125", { earlierSockets: new Set() })).toEqual([]);
  });
});
