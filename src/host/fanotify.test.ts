import { expect, test } from "vitest";
import { parseFileEvents } from "./fanotify.ts";

const handle = { type: 1, bytes: "46c09800c499d74a" };
const hex = `01000000${handle.bytes}`;

/** A record of a struct file_handle, with a name where there is one. */
function record(type: number, bytes: string, name = ""): Buffer {
  const text =
    name === ""
      ? Buffer.alloc(0)
      : Buffer.from(`${name}\0`.padEnd(Math.ceil((name.length + 1) / 4) * 4, "\0"));
  const buffer = Buffer.alloc(20 + bytes.length / 2 + text.length);
  buffer.writeUInt8(type, 0);
  buffer.writeUInt16LE(buffer.length, 2);
  buffer.writeUInt32LE(bytes.length / 2, 12);
  buffer.writeInt32LE(handle.type, 16);
  buffer.write(bytes, 20, "hex");
  text.copy(buffer, 20 + bytes.length / 2);
  return buffer;
}

function event(mask: number, pid: number, ...records: Buffer[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(24 + records.reduce((sum, { length }) => sum + length, 0), 0);
  head.writeUInt8(3, 4);
  head.writeUInt16LE(24, 6);
  head.writeBigUInt64LE(BigInt(mask), 8);
  head.writeInt32LE(-1, 16);
  head.writeInt32LE(pid, 20);
  return Buffer.concat([head, ...records]);
}

const file = record(1, handle.bytes);

test("events are taken apart; what is cut off is kept for the next chunk", () => {
  const all = Buffer.concat([event(0x20, 1, file), event(0x28, 2, file), event(0x10, 3, file)]);
  const first = parseFileEvents(all.subarray(0, 120));
  const second = parseFileEvents(Buffer.concat([first.rest, all.subarray(120)]));
  expect([...first.events, ...second.events]).toEqual([
    { handle: hex, place: undefined, pid: 1, opened: true, closedWriter: false, closedReader: false },
    { handle: hex, place: undefined, pid: 2, opened: true, closedWriter: true, closedReader: false },
    { handle: hex, place: undefined, pid: 3, opened: false, closedWriter: false, closedReader: true },
  ]);
  expect(second.rest.length).toBe(0);
});

test("the folder and the name stand in a record of their own", () => {
  const place = record(2, "0102030405060708", "config.new");
  const { events } = parseFileEvents(
    Buffer.concat([event(0x8, 7, place, file), event(0x10, 8, place, file)]),
  );
  expect(events.map(({ place, handle }) => [place, handle])).toEqual(
    Array.from({ length: 2 }, () => [{ folder: "010000000102030405060708", name: "config.new" }, hex]),
  );
});

test("a queue that was full is told; its event names no file", () => {
  expect(parseFileEvents(event(0x4000, 0))).toMatchObject({ events: [], lost: true });
});
