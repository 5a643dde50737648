import { type Link, readAll } from "./link.ts";
import type { OneWay, RoundTrips, Window } from "./types.ts";

/** A reader takes at most so much at once, however small the messages are: what programs use as a rule. */
const readLength = 64 * 1024;
/** Round trips of which the times are kept; more only run on. */
const maxSamples = 1 << 20;
const minRoundTrips = 20;
const warmUpRoundTrips = 50;
const warmUpMilliseconds = 20;

const samples = new Float64Array(maxSamples);

/** The serving end of one window. Returns when the client is through. */
export function serve(link: Link, { what, size }: Window): void {
  if (what === "round-trip") {
    const message = Buffer.alloc(size);
    while (readAll(link, message)) link.write(message);
    return;
  }
  const chunk = Buffer.alloc(Math.max(readLength, size));
  let total = 0;
  for (let count = link.read(chunk); count > 0; count = link.read(chunk)) total += count;
  const receipt = Buffer.alloc(8);
  receipt.writeDoubleLE(total);
  link.write(receipt);
}

/** Sends a message and waits for it to come back, again and again. Microseconds. */
export function roundTrips(link: Link, { size, milliseconds }: Window): RoundTrips {
  const message = Buffer.alloc(size, 7);
  const start = performance.now();
  for (let n = 0; n < warmUpRoundTrips && performance.now() - start < warmUpMilliseconds; n += 1) {
    roundTrip(link, message);
  }
  let count = 0;
  let before = performance.now();
  const end = before + milliseconds;
  while (before < end || count < minRoundTrips) {
    roundTrip(link, message);
    const now = performance.now();
    if (count < maxSamples) samples[count] = now - before;
    count += 1;
    before = now;
  }
  const sorted = samples.subarray(0, Math.min(count, maxSamples)).sort();
  const percentile = (part: number) =>
    1e3 * (sorted[Math.min(Math.floor(part * sorted.length), sorted.length - 1)] ?? 0);
  return { count, p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99) };
}

function roundTrip(link: Link, message: Buffer): void {
  link.write(message);
  if (!readAll(link, message)) throw new Error("the server ended the connection");
}

/** Sends messages for as long as the window lasts; timed until the server has said that it has them all. */
export function oneWay(link: Link, { size, milliseconds }: Window): OneWay {
  const message = Buffer.alloc(size, 7);
  // The clock is looked at about once per 64 KiB: each look costs as much as a small write.
  const batch = Math.max(1, Math.floor(readLength / size / 4));
  const start = performance.now();
  let sent = 0;
  do {
    for (let n = 0; n < batch; n += 1) link.write(message);
    sent += batch;
  } while (performance.now() - start < milliseconds);
  link.endWriting();
  const receipt = Buffer.alloc(8);
  const arrived = readAll(link, receipt) ? receipt.readDoubleLE() : -1;
  const seconds = (performance.now() - start) / 1e3;
  if (arrived !== sent * size) throw new Error(`${sent * size} bytes were sent, ${arrived} arrived`);
  return { bytes: arrived, seconds };
}
