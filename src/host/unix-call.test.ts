import { expect, test } from "vitest";
import { unixCall, unixCallMap } from "./unix-call.ts";

function element(call: number, type: number, path: string, length = 0): Buffer {
  const { keySize, valueSize } = unixCallMap.shape;
  const bytes = Buffer.alloc(keySize + valueSize);
  bytes.writeBigUInt64LE(4711n, 0);
  bytes.writeUInt32LE(1000, 8);
  bytes.writeUInt32LE(2000, 12);
  bytes.writeUInt8(call, 16);
  bytes.writeUInt8(type, 17);
  bytes.writeUInt16LE(length, 18);
  bytes.write(path, 20);
  bytes.writeBigUInt64LE(7n, keySize);
  return bytes;
}

test("an element of the map names the socket, who called it and how often", () => {
  expect(unixCall(element(1, 1, "/run/app.sock"))).toEqual({
    cgroup: 4711n,
    call: "connect",
    type: "stream",
    name: "/run/app.sock",
    uid: 1000,
    gid: 2000,
    count: 7,
  });
  expect(unixCall(element(2, 2, "/dev/log"))).toMatchObject({ call: "send", type: "datagram" });
});

test("an abstract name may have any bytes, and ends where its length says", () => {
  expect(unixCall(element(1, 5, "\0bus\0x", 6))).toMatchObject({ type: "seqpacket", name: "@bus@x" });
});

test("a longest path has no byte that ends it", () => {
  const path = `/${"x".repeat(107)}`;
  expect(unixCall(element(1, 1, path))?.name).toBe(path);
});
