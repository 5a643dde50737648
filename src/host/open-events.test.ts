import { expect, test } from "vitest";
import { parseOpenEvents } from "./open-events.ts";

function event(mask: number, pid: number): Buffer {
  const buffer = Buffer.alloc(52);
  buffer.writeUInt32LE(52, 0);
  buffer.writeUInt8(3, 4);
  buffer.writeUInt16LE(24, 6);
  buffer.writeBigUInt64LE(BigInt(mask), 8);
  buffer.writeInt32LE(-1, 16);
  buffer.writeInt32LE(pid, 20);
  buffer.writeUInt8(1, 24);
  buffer.writeUInt16LE(28, 26);
  buffer.writeUInt32LE(8, 36);
  buffer.writeInt32LE(1, 40);
  buffer.write("46c09800c499d74a", 44, "hex");
  return buffer;
}

test("parseOpenEvents takes events apart and keeps what is cut off for the next chunk", () => {
  const all = Buffer.concat([event(0x20, 1), event(0x28, 2), event(0x10, 3)]);
  const first = parseOpenEvents(all.subarray(0, 120));
  const second = parseOpenEvents(Buffer.concat([first.rest, all.subarray(120)]));
  const handle = "0100000046c09800c499d74a";
  expect([...first.events, ...second.events]).toEqual([
    { handle, pid: 1, opened: true, closedWriter: false, closedReader: false },
    { handle, pid: 2, opened: true, closedWriter: true, closedReader: false },
    { handle, pid: 3, opened: false, closedWriter: false, closedReader: true },
  ]);
  expect(second.rest.length).toBe(0);
});
