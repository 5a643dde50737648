import { mkdirSync, readSync, writeSync } from "node:fs";
import { type BlockingCalls, blockingCalls } from "../host/blocking-calls.ts";
import { connectTo, forget, type Listener, listenFor, type MeetingPlace } from "./listeners.ts";
import type { Kind, ProgramCost, Request, ServerAnswer, Window } from "./types.ts";
import { oneWay, roundTrips, serve } from "./windows.ts";

/*
 * The program that `peapod measure` runs four times: as server and client in the containers of a pod, and as server
 * and client directly on the host. `main.ts server|client FOLDER SHARED-MEMORY`: reads requests as JSON lines from
 * standard input, answers in JSON lines, and ends with its input.
 */

const [role = "", folder = "", sharedMemory = ""] = process.argv.slice(2);
const place: MeetingPlace = { folder, sharedMemory };

function say(answer: object): void {
  writeSync(1, `${JSON.stringify(answer)}\n`);
}

/** Lines of standard input, which is read in a blocking way as everything here. */
function* requests(): Generator<Request> {
  const chunk = Buffer.alloc(4096);
  let text = "";
  for (;;) {
    const count = readInput(chunk);
    if (count === 0) return;
    text += chunk.toString("utf8", 0, count);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as Request;
  }
}

function readInput(chunk: Buffer): number {
  try {
    return readSync(0, chunk, 0, chunk.length, null);
  } catch {
    return 0;
  }
}

function programCost(calls: BlockingCalls): ProgramCost {
  return { systemCall: nanoseconds(() => calls.nothing()), clock: nanoseconds(() => performance.now()) };
}

/** The least of several rounds, after one that counts for nothing. */
function nanoseconds(work: () => void): number {
  const count = 20_000;
  const rounds = Array.from({ length: 6 }, () => {
    const start = performance.now();
    for (let n = 0; n < count; n += 1) work();
    return ((performance.now() - start) * 1e6) / count;
  });
  return Math.min(...rounds.slice(1));
}

const calls = await blockingCalls();
mkdirSync(folder, { recursive: true });
const listeners = new Map<Kind, Listener>();

const allowedCPUs = calls.allowedCPUs();

/** Ends that never sleep stay where they are, and if that is the same CPU they only hinder each other. */
function settle({ kind }: Window): void {
  if (allowedCPUs.length < 2) return;
  calls.runOn(kind === "shm-spin" ? allowedCPUs.slice(...(role === "server" ? [0, 1] : [-1])) : allowedCPUs);
}

function serveWindow(window: Window): void {
  settle(window);
  const listener = listeners.get(window.kind) ?? listenFor(window.kind, place, calls);
  listeners.set(window.kind, listener);
  listener.prepare();
  const { port } = listener;
  say({ state: "ready", ...(port === undefined ? {} : { port }) } satisfies ServerAnswer);
  const link = listener.accept();
  serve(link, window);
  link.close();
  say({ state: "done" } satisfies ServerAnswer);
}

function measureWindow({ port, ...window }: Window & { readonly port?: number }): void {
  settle(window);
  const link = connectTo(window.kind, place, port, calls);
  const answer = window.what === "round-trip" ? roundTrips(link, window) : oneWay(link, window);
  link.close();
  say(answer);
}

try {
  for (const request of requests()) {
    if (request.what === "cost") say(programCost(calls));
    else if (role === "server") serveWindow(request);
    else measureWindow(request);
  }
} finally {
  if (role === "server") forget(place);
}
