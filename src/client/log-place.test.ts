import { expect, test } from "vitest";
import { LogPlace } from "./log-place.ts";

const time = (nanoseconds: number) => `2026-11-23T10:00:00.${String(nanoseconds).padStart(9, "0")}Z`;
const log = [
  `${time(1)} one\n`,
  `${time(1)} one again\n`,
  `${time(2)} \n`,
  `${time(1_000_001)} two words\n`,
  `${time(1_000_001)} ü\n`,
].join("");

function read(place: LogPlace, text: Buffer, chunkBytes: number): string {
  let out = Buffer.alloc(0);
  for (let at = 0; at < text.length; at += chunkBytes) {
    out = Buffer.concat([out, ...place.take(text.subarray(at, at + chunkBytes))]);
  }
  return out.toString("latin1");
}

test.each([1, 3, 1000])("times are taken off, in chunks of %i", (chunkBytes) => {
  const text = "one\none again\n\ntwo words\nü\n";
  expect(read(new LogPlace({ keepTimes: false }), Buffer.from(log), chunkBytes)).toBe(
    Buffer.from(text).toString("latin1"),
  );
});

test.each([true, false])("broken at any byte it goes on at that byte (times kept: %s)", (keepTimes) => {
  const bytes = Buffer.from(log);
  const whole = read(new LogPlace({ keepTimes }), bytes, bytes.length);
  for (let first = 0; first <= bytes.length; first += 1) {
    for (const second of [0, 20, first, bytes.length]) {
      const place = new LogPlace({ keepTimes });
      let out = read(place, bytes.subarray(0, first), 7);
      place.resume();
      out += read(place, bytes.subarray(0, second), 5);
      place.resume();
      out += read(place, bytes, 11);
      expect(out).toBe(whole);
    }
  }
});

test("lines from before that are there no more, and another container's, are no trouble", () => {
  const place = new LogPlace({ keepTimes: false });
  read(place, Buffer.from(log), 100);
  place.resume();
  expect(place.time).toBe(time(1_000_001));
  expect(read(place, Buffer.from(`${time(1_000_002)} later\n`), 100)).toBe("later\n");
});
