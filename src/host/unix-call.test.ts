import { expect, test } from "vitest";
import { unixCall, unixCallMap } from "./unix-call.ts";

function element(call: number, type: number, path: string, length = 0): Buffer {
  const { keySize, valueSize } = unixCallMap.shape;
  const bytes = Buffer.alloc(keySize + valueSize);
  bytes.writeUInt32LE(1000, 0);
  bytes.writeUInt32LE(2000, 4);
  bytes.writeUInt8(call, 8);
  bytes.writeUInt8(type, 9);
  bytes.writeUInt16LE(length, 10);
  bytes.write(path, 12);
  bytes.writeBigUInt64LE(7n, keySize);
  return bytes;
}

test("an element of the map names the socket, who called it and how often", () => {
  expect(unixCall("b", element(1, 1, "/run/app.sock"))).toEqual({
    container: "b",
    call: "connect",
    type: "stream",
    name: "/run/app.sock",
    uid: 1000,
    gid: 2000,
    count: 7,
  });
  expect(unixCall("b", element(2, 2, "/dev/log"))).toMatchObject({ call: "send", type: "datagram" });
});

test("an abstract name may have any bytes, and ends where its length says", () => {
  expect(unixCall("b", element(1, 5, "\0bus\0x", 6))).toMatchObject({ type: "seqpacket", name: "@bus@x" });
});

test("a longest path has no byte that ends it", () => {
  const path = `/${"x".repeat(107)}`;
  expect(unixCall("b", element(1, 1, path))?.name).toBe(path);
});
