import { expect, test } from "vitest";
import { trafficCount, trafficMap } from "./traffic-count.ts";

function element(kind: number, address: string, port: number, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(trafficMap.shape.keySize + trafficMap.shape.valueSize);
  Buffer.from(address, "hex").copy(bytes);
  bytes.writeUInt16LE(port, 16);
  bytes.writeUInt8(kind, 18);
  values.forEach((value, index) => {
    bytes.writeBigUInt64LE(BigInt(value), trafficMap.shape.keySize + index * 8);
  });
  return bytes;
}

test("an element of the map names the peer and what was counted; IPv4 comes in IPv6's clothes", () => {
  const ipv4 = "00000000000000000000ffff7f000001";
  expect(trafficCount("b", element(1, ipv4, 8080, [3, 2, 160, 2 ** 40]))).toEqual({
    kind: "Called",
    container: "b",
    address: "127.0.0.1",
    port: 8080,
    attempts: 3,
    count: 2,
    sent: 160,
    received: 2 ** 40,
  });
  const ipv6 = "fd000000000000000000000000000001";
  expect(trafficCount("b", element(4, ipv6, 53, [0, 7, 0, 0]))).toMatchObject({
    kind: "Answered",
    address: "fd00::1",
    port: 53,
    count: 7,
  });
});

test("what the programs note for themselves is no count", () => {
  expect(trafficCount("b", element(6, "0100000000000000ffffffffffffffff", 0, [0, 0, 0, 9]))).toBeUndefined();
});
