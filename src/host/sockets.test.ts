import { describe, expect, test } from "vitest";
import { normalizeAddress, parseInternetSockets, parseProcUnixSockets } from "./sockets.ts";

describe("parseInternetSockets", () => {
  test("reads a TCP table with a listener, both ends of a connection and a zero window probe", () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0        0 23176 1 0000000003ba8ccd 100 0 0 10 0
   1: 0100007F:C88E 0100007F:1F90 01 00002710:00000000 04:00000020 00000000     0        0 23177 1 00000000fd2bd1d4 20 4 30 11 -1
   2: 0100007F:1F90 0100007F:C88E 06 00000000:00000000 03:00000000 00000000     0        0 0 3 00000000a8b9beb0
`;
    const [listener, client, past] = parseInternetSockets(table);
    expect(listener).toMatchObject({
      family: 4,
      local: { address: "0.0.0.0", port: 8080 },
      state: "Listen",
      receiveQueue: 1,
      inode: 23176,
    });
    expect(client).toMatchObject({
      local: { address: "127.0.0.1", port: 51342 },
      remote: { address: "127.0.0.1", port: 8080 },
      state: "Established",
      sendQueue: 10_000,
      timer: 4,
    });
    expect(past).toMatchObject({ state: "TimeWait", inode: 0 });
  });

  test("gives IPv6 in its shortest form and mapped IPv4 dotted", () => {
    const table = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0000000003ba8ccd 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:1F96 0000000000000000FFFF00000100007F:C88E 01 00000000:00000000 00:00000000 00000000     0        0 8 1 0000000003ba8ccd 100 0 0 10 0
`;
    const [v6, mapped] = parseInternetSockets(table);
    expect(v6?.local).toEqual({ address: "::1", port: 8080 });
    expect(mapped).toMatchObject({ family: 6, local: { address: "127.0.0.1", port: 8086 } });
  });

  test("reads drops of UDP", () => {
    const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1575: 0100007F:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23186 2 00000000278a4d50 14802
`;
    expect(parseInternetSockets(table)).toMatchObject([{ state: "Close", drops: 14_802 }]);
  });
});

test.each([
  ["[::ffff:127.0.0.1]", "127.0.0.1"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["*", "::"],
  ["10.0.0.1", "10.0.0.1"],
])("normalizeAddress %s", (text, expected) => {
  expect(normalizeAddress(text)).toBe(expected);
});

test("parseProcUnixSockets reads the table of /proc, which has no peers", () => {
  const text = `Num       RefCount Protocol Flags    Type St Inode Path
0000000053a2f241: 00000002 00000000 00010000 0001 01 23179 /tmp/chx/u.sock
0000000015d3a301: 00000002 00000000 00000000 0002 03 23184
`;
  expect(parseProcUnixSockets(text)).toMatchObject([
    { type: "stream", listening: true, name: "/tmp/chx/u.sock", peerInode: undefined },
    { type: "datagram", listening: false, name: undefined },
  ]);
});
