import { expect, test } from "vitest";
import { parseUnixSockets } from "../host/sockets.ts";
import { fakeProcess, fakeSnapshot } from "./fake-snapshot.ts";
import { unixChannels } from "./unix.ts";

const listening = "u_str LISTEN 0 5 /data/u.sock 1 * 0 <-> ino:7 dev:0/65024 peers:";
const accepted = "u_str ESTAB 0 0 /data/u.sock 2 * 3 <-> ino:7 dev:0/65024\nu_str ESTAB 0 0 * 3 * 2 <->";
const pending =
  "u_str LISTEN 1 5 /data/u.sock 1 * 0 <-> ino:7 dev:0/65024 peers: 4\nu_str ESTAB 0 0 * 4 * 0 <->";
const pair = "u_str ESTAB 0 0 * 5 * 6 <->\nu_str ESTAB 0 0 * 6 * 5 <->";
const datagram = "u_dgr ESTAB 0 0 @absd 7 * 0 <->\nu_dgr ESTAB 0 0 * 8 * 7 <->";
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
  ["nobody connected", listening, ["Server a; UnixStream data:/u.sock Listening"]],
  [
    "accepted",
    `${listening}\n${accepted}`,
    ["Server a /data/u.sock, Client b /mnt/u.sock; UnixStream data:/u.sock Open"],
  ],
  ["not accepted", pending, ["Server a /data/u.sock, Client b /mnt/u.sock; UnixStream data:/u.sock Blocked"]],
  ["an unnamed pair", pair, []],
  ["abstract datagrams", datagram, ["Server a, Client b; UnixDatagram @absd Open"]],
])("%s", (_, text, expected) => {
  const facts = unixChannels(fakeSnapshot({ processes: [a, b], unix: parseUnixSockets(text) }));
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
