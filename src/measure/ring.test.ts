import { expect, test } from "vitest";
import type { SharedRegion } from "../host/blocking-calls.ts";
import { readAll } from "./link.ts";
import { Ring, ringLength } from "./ring.ts";

/** Memory of this process alone: nobody else can wake it, so it must never have to wait. */
function region(): SharedRegion & { readonly wakes: number[] } {
  const wakes: number[] = [];
  return {
    memory: new ArrayBuffer(2 * ringLength),
    wakes,
    wait: () => {
      throw new Error("waits");
    },
    wake: (offset) => wakes.push(offset),
  };
}

test("bytes come out as they went in, also around the ring's end", () => {
  const ring = new Ring(region(), ringLength, undefined);
  const sent = Buffer.from(Array.from({ length: 300_007 }, (_, n) => n % 251));
  const received = Buffer.alloc(sent.length);
  const link = { ...none, read: (bytes: Buffer) => ring.read(bytes) };
  for (let turn = 0; turn < 10; turn += 1) {
    ring.write(sent);
    expect(readAll(link, received.fill(0))).toBe(true);
    expect(received.equals(sent)).toBe(true);
  }
});

test("what was written before the end is read before it", () => {
  const ring = new Ring(region(), 0, undefined);
  ring.write(Buffer.from("last words"));
  ring.end();
  const bytes = Buffer.alloc(64);
  expect(bytes.toString("utf8", 0, ring.read(bytes))).toBe("last words");
  expect(ring.read(bytes)).toBe(0);
});

test("nobody who is awake is woken", () => {
  const shared = region();
  const ring = new Ring(shared, 0, undefined);
  ring.write(Buffer.alloc(64));
  ring.read(Buffer.alloc(64));
  expect(shared.wakes).toEqual([]);
});

const none = { write() {}, endWriting() {}, close() {} };
