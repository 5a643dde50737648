import { expect, test } from "vitest";
import { fakeProcess, fakeSnapshot, fakeUnixSocket } from "./fake-snapshot.ts";
import { unixChannels } from "./unix.ts";

const served = { name: "/data/u.sock", file: "65024:7" };
const listener = fakeUnixSocket(1, { ...served, listening: true, sendQueue: 5 });
const accepted = [fakeUnixSocket(2, { ...served, peerInode: 3 }), fakeUnixSocket(3, { peerInode: 2 })];
const pending = [{ ...listener, receiveQueue: 1, pending: [4] }, fakeUnixSocket(4)];
const pair = [fakeUnixSocket(5, { peerInode: 6 }), fakeUnixSocket(6, { peerInode: 5 })];
const datagram = [
  fakeUnixSocket(7, { type: "datagram", name: "@absd" }),
  fakeUnixSocket(8, { type: "datagram", peerInode: 7 }),
];
const a = fakeProcess(
  "a",
  10,
  [1, 2, 5, 7].map((inode) => ({ inode })),
);
const b = fakeProcess(
  "b",
  20,
  [3, 4, 6, 8].map((inode) => ({ inode })),
);

test.each([
  ["nobody connected", [listener], ["Server a; UnixStream data:/u.sock Listening"]],
  [
    "accepted",
    [listener, ...accepted],
    ["Server a /data/u.sock, Client b /mnt/u.sock; UnixStream data:/u.sock Open"],
  ],
  ["not accepted", pending, ["Server a /data/u.sock, Client b /mnt/u.sock; UnixStream data:/u.sock Blocked"]],
  ["an unnamed pair", pair, []],
  ["abstract datagrams", datagram, ["Server a, Client b; UnixDatagram @absd Open"]],
])("%s", (_, unix, expected) => {
  const facts = unixChannels(fakeSnapshot({ processes: [a, b], unix }));
  const lines = facts.map(({ endpoints, type, address, condition }) => {
    const shown = endpoints.map(({ role, container, path }) =>
      [role, container, ...(path === undefined || condition === "Listening" ? [] : [path])].join(" "),
    );
    return `${shown.join(", ")}; ${type} ${address} ${condition}`;
  });
  expect(lines).toEqual(expected);
});

test("a socket file that nobody serves is stale", () => {
  const file = {
    identity: "65024:9",
    kind: "socket",
    label: "data:/old.sock",
    hostPath: "",
    volume: "data",
    size: 0,
    modifiedAt: 0,
    accessedAt: 0,
  } as const;
  expect(unixChannels(fakeSnapshot({ files: [file] }))).toMatchObject([
    { address: "data:/old.sock", condition: "Stale", endpoints: [] },
  ]);
});
