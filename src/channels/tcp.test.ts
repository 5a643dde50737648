import { describe, expect, test } from "vitest";
import type { TrafficCount } from "../host/traffic-count.ts";
import type { ChannelFact } from "./fact.ts";
import { fakeProcess, fakeSnapshot, fakeSocket } from "./fake-snapshot.ts";
import { tcpChannels } from "./tcp.ts";

const listener = fakeSocket("0.0.0.0:8080", "0.0.0.0:0", "Listen", 1);
const serverEnd = fakeSocket("127.0.0.1:8080", "127.0.0.1:40000", "Established", 2);
const clientEnd = fakeSocket("127.0.0.1:40000", "127.0.0.1:8080", "Established", 3);
const a = fakeProcess("a", 10, [{ inode: 1 }, { inode: 2 }]);
const b = fakeProcess("b", 20, [{ inode: 3 }]);

function summary(facts: readonly ChannelFact[]): string[] {
  return facts.map(
    ({ endpoints, scope, address, condition, reason }) =>
      `${endpoints.map(({ role, container }) => `${role} ${container ?? "?"}`).join(", ")}; ${scope} ${address} ${condition}${reason ? `: ${reason}` : ""}`,
  );
}

function count(parts: Partial<TrafficCount>): TrafficCount {
  return {
    kind: "Called",
    container: "b",
    address: "127.0.0.1",
    port: 8080,
    attempts: 3,
    count: 3,
    sent: 0,
    received: 0,
    ...parts,
  };
}

describe("connections in the table", () => {
  test("join both ends, with the payload that each received", () => {
    const counter = { listening: false, receiveQueue: 0, sendQueue: 0 };
    const facts = tcpChannels(
      fakeSnapshot({
        processes: [a, b],
        tcp: [listener, clientEnd, serverEnd],
        tcpCounters: [
          {
            ...counter,
            local: clientEnd.local,
            remote: clientEnd.remote,
            bytesAcked: 1001,
            bytesReceived: 300,
          },
          {
            ...counter,
            local: serverEnd.local,
            remote: serverEnd.remote,
            bytesAcked: 300,
            bytesReceived: 1000,
          },
        ],
      }),
    );
    expect(summary(facts)).toEqual(["Server a, Client b; InterContainer 127.0.0.1:8080 Open"]);
    expect(facts[0]).toMatchObject({
      declared: true,
      openConnections: 1,
      readings: [{ clientToServer: { bytes: 1000 }, serverToClient: { bytes: 300 } }],
    });
  });

  test("a client's row that the first look at a connection misses is waited for, not taken for a stranger's", () => {
    const parts = { processes: [a, b], tcp: [listener, serverEnd] };
    expect(summary(tcpChannels(fakeSnapshot(parts)))).toEqual([
      "Server a; InterContainer 0.0.0.0:8080 Listening",
    ]);
    // Still missing at the next look: something between them rewrites addresses.
    const next = tcpChannels(fakeSnapshot({ ...parts, earlierSockets: new Set([2]) }));
    expect(summary(next)).toEqual(["Server a, Client ?; InterContainer 127.0.0.1:8080 Open"]);
  });

  test.each([
    [
      "a server that nobody talks to",
      { processes: [a], tcp: [listener] },
      ["Server a; InterContainer 0.0.0.0:8080 Listening"],
    ],
    [
      "an end that was not accepted belongs to the listener",
      { processes: [a, b], tcp: [listener, clientEnd, { ...serverEnd, inode: 0 }] },
      [
        "Server a, Client b; InterContainer 127.0.0.1:8080 Blocked: the server has not accepted the connection",
      ],
    ],
    [
      "a client that does not read",
      { processes: [a, b], tcp: [listener, clientEnd, { ...serverEnd, sendQueue: 99, timer: 4 }] },
      [
        "Server a, Client b; InterContainer 127.0.0.1:8080 Blocked: the client does not read: 99 bytes wait to be sent",
      ],
    ],
    [
      "an end that may be younger than the look at its process",
      { processes: [a], tcp: [listener, clientEnd, serverEnd] },
      ["Server a; InterContainer 0.0.0.0:8080 Listening"],
    ],
    [
      "an end that its process closed",
      { processes: [a], tcp: [listener, { ...clientEnd, inode: 0, state: "FinWait2" as const }, serverEnd] },
      ["Server a; InterContainer 0.0.0.0:8080 Listening"],
    ],
    [
      "a connection that ended between the reading of its rows",
      {
        processes: [a],
        tcp: [
          listener,
          { ...serverEnd, state: "CloseWait" as const },
          { ...clientEnd, state: "TimeWait" as const, inode: 0 },
        ],
        earlierSockets: new Set([1, 2, 3]),
      },
      ["Server a; InterContainer 0.0.0.0:8080 Listening"],
    ],
    [
      "an end that lasts and belongs to no container, such as a forwarded port's",
      { processes: [a], tcp: [listener, clientEnd, serverEnd], earlierSockets: new Set([1, 2, 3]) },
      ["Server a, Client ?; Ingress 127.0.0.1:8080 Open"],
    ],
    [
      "a client from outside",
      { processes: [a], tcp: [listener, fakeSocket("10.88.0.2:8080", "10.88.0.1:5000", "Established", 2)] },
      ["Server a, Client ?; Ingress 10.88.0.2:8080 Open"],
    ],
    [
      "a server outside",
      { processes: [b], tcp: [fakeSocket("10.88.0.2:5000", "1.1.1.1:443", "Established", 3)] },
      ["Server ?, Client b; Egress 1.1.1.1:443 Open"],
    ],
    [
      "a server outside that does not answer",
      { processes: [b], tcp: [fakeSocket("10.88.0.2:5000", "1.1.1.1:443", "SynSent", 3)] },
      [
        "Server ?, Client b; Egress 1.1.1.1:443 Blocked: the client connects to 1.1.1.1:443 and gets no answer",
      ],
    ],
    [
      "sockets of nobody in the pod are left out",
      { processes: [], tcp: [listener, clientEnd, serverEnd] },
      [],
    ],
    [
      "a container that talks to itself",
      {
        processes: [fakeProcess("a", 10, [{ inode: 1 }, { inode: 2 }, { inode: 3 }])],
        tcp: [listener, clientEnd, serverEnd],
      },
      ["Server a, Client a; IntraContainer 127.0.0.1:8080 Open"],
    ],
    [
      "without counters TIME_WAIT tells the server alone",
      {
        processes: [a],
        counts: undefined,
        tcp: [listener, { ...clientEnd, state: "TimeWait" as const, inode: 0 }],
      },
      ["Server a, Client ?; InterContainer 127.0.0.1:8080 Open"],
    ],
  ])("%s", (_, parts, expected) => {
    expect(summary(tcpChannels(fakeSnapshot(parts)))).toEqual(expected);
  });
});

describe("counted connections", () => {
  test("give the client, the number and the payload of those that ended", () => {
    const facts = tcpChannels(
      fakeSnapshot({
        processes: [a],
        tcp: [listener],
        counts: [count({ attempts: 2, count: 2, sent: 160, received: 350 })],
      }),
    );
    expect(summary(facts)).toEqual(["Server a, Client b; InterContainer 127.0.0.1:8080 Open"]);
    expect(facts[0]?.readings).toMatchObject([
      { kind: "counted", connections: 2, clientToServer: { bytes: 160 }, serverToClient: { bytes: 350 } },
    ]);
  });

  test.each([
    [
      "a port that nobody serves",
      [count({ port: 9999, count: 0 })],
      [
        "Server a; InterContainer 0.0.0.0:8080 Listening",
        "Client b; InterContainer 127.0.0.1:9999 Blocked: nothing listens on 127.0.0.1:9999",
      ],
    ],
    [
      "an address that was tried before the right one",
      [count({ address: "::1", count: 0 }), count({})],
      ["Server a, Client b; InterContainer 127.0.0.1:8080 Open"],
    ],
    [
      "connections from outside",
      [count({ kind: "Accepted", container: "a", address: "10.88.0.1" })],
      ["Server a, Client ?; Ingress 10.88.0.2:8080 Open"],
    ],
    [
      "an accepted connection whose other end is the pod's own",
      [count({ kind: "Accepted", container: "a", address: "10.88.0.2" })],
      ["Server a; InterContainer 0.0.0.0:8080 Listening"],
    ],
  ])("%s", (_, counts, expected) => {
    const facts = tcpChannels(fakeSnapshot({ processes: [a], tcp: [listener], counts }));
    expect(summary(facts).sort()).toEqual([...expected].sort());
  });

  test("callers from outside share a channel, and each is named", () => {
    const calls = (address: string) =>
      count({ kind: "Accepted", container: "a", address, sent: 7, received: 5 });
    const counts = [calls("10.88.0.9"), calls("10.88.0.1")];
    const [fact] = tcpChannels(fakeSnapshot({ processes: [a], tcp: [listener], counts }));
    expect(fact?.endpoints.map(({ role, path }) => `${role} ${path ?? ""}`)).toEqual([
      "Server ",
      "Client 10.88.0.1",
      "Client 10.88.0.9",
    ]);
    expect(fact?.readings).toMatchObject([
      { id: "from 10.88.0.9", clientToServer: { bytes: 5 }, serverToClient: { bytes: 7 } },
      { id: "from 10.88.0.1", clientToServer: { bytes: 5 }, serverToClient: { bytes: 7 } },
    ]);
  });

  test("what answers at a local address of the host's network may be no container of the pod", () => {
    const { pod } = fakeSnapshot({});
    const facts = tcpChannels(
      fakeSnapshot({
        pod: { ...pod, netns: undefined },
        processes: [a],
        tcp: [listener],
        counts: [count({ port: 22 }), count({ port: 9, count: 0 })],
      }),
    );
    expect(summary(facts).sort()).toEqual([
      "Client b; InterContainer 127.0.0.1:9 Blocked: nothing listens on 127.0.0.1:9",
      "Server ?, Client b; Egress 127.0.0.1:22 Open",
      "Server a; InterContainer 0.0.0.0:8080 Listening",
    ]);
  });
});
