import { mkdirSync, readSync, writeSync } from "node:fs";
import { blockingCalls } from "../../src/host/blocking-calls.ts";
import { type Link, readAll } from "../../src/measure/link.ts";
import { connectTo, listenFor } from "../../src/measure/listeners.ts";
import { binCount, binOf } from "./histogram.ts";

/*
 * One end of a connection on which 100 bytes go there and back. `talker.ts server tcp|unix FOLDER` prints its port and
 * serves one client after the other; `talker.ts client tcp|unix FOLDER PORT` reads how many milliseconds to go on from standard
 * input, line by line, and answers with a histogram of the round trips (`BIN:COUNT …`).
 */

const [role, kind = "tcp", folder = "", port] = process.argv.slice(2);
if (kind !== "tcp" && kind !== "unix") throw new Error(`tcp or unix, not ${kind}`);
const place = { folder, sharedMemory: "" };
const message = Buffer.alloc(100, 7);
const calls = await blockingCalls();
mkdirSync(folder, { recursive: true });

if (role === "server") {
  const listener = listenFor(kind, place, calls);
  writeSync(1, `${listener.port ?? 0}\n`);
  for (;;) {
    const link = listener.accept();
    while (readAll(link, message)) link.write(message);
    link.close();
  }
} else {
  const line = Buffer.alloc(64);
  for (let count = readSync(0, line); count > 0; count = readSync(0, line)) {
    // Counters know a connection by its SYN, so it must come after they do.
    const link = connectTo(kind, place, Number(port), calls);
    writeSync(1, `${roundTrips(link, Number(line.toString("utf8", 0, count)))}\n`);
    link.close();
  }
}

function roundTrips(link: Link, milliseconds: number): string {
  const counts = new Uint32Array(binCount);
  const start = performance.now();
  for (let before = start; before < start + milliseconds; ) {
    link.write(message);
    readAll(link, message);
    const now = performance.now();
    const bin = binOf(now - before);
    counts[bin] = (counts[bin] ?? 0) + 1;
    before = now;
  }
  return [...counts.entries()].flatMap(([bin, count]) => (count === 0 ? [] : [`${bin}:${count}`])).join(" ");
}
