import { expect, test } from "vitest";
import { functionIn } from "./btf.ts";

/** A file of these types, each `[name, kind, members]`. */
function types(...list: readonly (readonly [string, number, number])[]): Buffer {
  const sizes: Record<number, number> = { 1: 4, 4: 12, 6: 8, 13: 8, 19: 12 };
  const names = ["", ...list.map(([name]) => name)].join("\0");
  const strings = Buffer.from(`${names}\0`);
  const records = list.map(([name, kind, members]) => {
    const size = kind === 1 ? 4 : (sizes[kind] ?? 0) * members;
    const record = Buffer.alloc(12 + size, 0xee);
    record.writeUInt32LE(strings.indexOf(`\0${name}\0`) + 1, 0);
    record.writeUInt32LE(kind * 2 ** 24 + members, 4);
    return record;
  });
  const body = Buffer.concat(records);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt32LE(24, 4);
  header.writeUInt32LE(body.length, 12);
  header.writeUInt32LE(body.length, 16);
  header.writeUInt32LE(strings.length, 20);
  return Buffer.concat([header, body, strings]);
}

const file = types(
  ["int", 1, 0],
  ["pair", 4, 2],
  ["color", 6, 3],
  ["prototype", 13, 2],
  ["big", 19, 1],
  ["cast", 12, 0],
  ["cast_again", 12, 0],
);

test("a function's number is its place among all types, whatever their length", () => {
  expect(functionIn(file, "cast")).toBe(6);
  expect(functionIn(file, "cast_again")).toBe(7);
});

test("what is no function, or not there, has none", () => {
  expect(functionIn(file, "pair")).toBeUndefined();
  expect(functionIn(file, "cas")).toBeUndefined();
  expect(functionIn(Buffer.alloc(64), "cast")).toBeUndefined();
});
