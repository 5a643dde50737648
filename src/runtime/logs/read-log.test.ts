import { appendFileSync, linkSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { quietScope } from "../../base/scope.ts";
import type { LogOptions } from "../types.ts";
import { readLog } from "./read-log.ts";

const scope = quietScope();
const over = { isOver: () => true, onChange: () => () => {} };
let folder: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "peapod-log-"));
  log = join(folder, "0.log");
});
afterEach(() => rmSync(folder, { recursive: true }));

function line(text: string, { stream = "stdout", tag = "F", second = 0 } = {}): string {
  return `2026-11-23T12:00:${String(second).padStart(2, "0")}.000000000+00:00 ${stream} ${tag} ${text}\n`;
}

async function read(options: Partial<LogOptions> = {}): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readLog(log, { follow: false, timestamps: false, ...options }, over, scope)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

test("a log that does not exist is empty, and following it ends with the container", async () => {
  expect(await read()).toBe("");
  expect(await read({ follow: true })).toBe("");
});

test("rotated parts come first, compressed or not", async () => {
  writeFileSync(`${log}.20261123-110000.gz`, gzipSync(line("one") + line("two")));
  writeFileSync(`${log}.20261123-120000`, line("three"));
  writeFileSync(`${log}.20261123-110000.gz.tmp`, "half");
  writeFileSync(log, line("four"));
  expect(await read()).toBe("one\ntwo\nthree\nfour\n");
  for (const [tailLines, expected] of [
    [0, ""],
    [1, "four\n"],
    [2, "three\nfour\n"],
    [3, "two\nthree\nfour\n"],
    [4, "one\ntwo\nthree\nfour\n"],
    [9, "one\ntwo\nthree\nfour\n"],
  ] as const) {
    expect(await read({ tailLines }), `tail ${tailLines}`).toBe(expected);
  }
});

test("a tail reads lines longer than a chunk", async () => {
  const long = "y".repeat(200_000);
  writeFileSync(log, line("first") + line(long) + line("last"));
  expect(await read({ tailLines: 2 })).toBe(`${long}\nlast\n`);
  expect(await read({ tailLines: 1 })).toBe("last\n");
});

test("cut lines count once, also an unfinished last one", async () => {
  writeFileSync(log, line("a", { tag: "P" }) + line("b") + line("c", { tag: "P" }) + line("d", { tag: "P" }));
  expect(await read()).toBe("ab\ncd");
  expect(await read({ tailLines: 1 })).toBe("cd");
  expect(await read({ tailLines: 2 })).toBe("ab\ncd");
  expect(await read({ timestamps: true })).toBe(
    "2026-11-23T12:00:00.000000000Z ab\n2026-11-23T12:00:00.000000000Z cd",
  );
});

test("streams, times and bytes", async () => {
  writeFileSync(
    log,
    line("one") + line("two", { stream: "stderr", second: 5 }) + line("three", { second: 9 }),
  );
  expect(await read({ stream: "stderr" })).toBe("two\n");
  expect(await read({ stream: "stdout", tailLines: 1 })).toBe("three\n");
  expect(await read({ sinceTime: Date.UTC(2026, 10, 23, 12, 0, 5) })).toBe("two\nthree\n");
  expect(await read({ limitBytes: 6 })).toBe("one\ntw");
  expect(await read({ limitBytes: 0 })).toBe("");
});

test("torn lines are left out", async () => {
  writeFileSync(log, `garbage\n${line("one")}2026-11-23T12:00:00.0Z stdout F half`);
  expect(await read()).toBe("one\n");
});

test("following reads on across rotations until the container ends", async () => {
  let isOver = false;
  let tell = () => {};
  const state = {
    isOver: () => isOver,
    onChange: (listener: () => void) => {
      tell = listener;
      return () => {};
    },
  };
  writeFileSync(log, line("one"));
  const reader = readLog(log, { follow: true, timestamps: false }, state, scope)[Symbol.asyncIterator]();
  const next = async () => Buffer.from((await reader.next()).value ?? []).toString();
  expect(await next()).toBe("one\n");
  appendFileSync(log, line("two"));
  expect(await next()).toBe("two\n");
  // Two rotations before the reader looks again: it must not miss the part in between.
  renameSync(log, `${log}.20261123-120000`);
  appendFileSync(`${log}.20261123-120000`, line("three"));
  writeFileSync(`${log}.20261123-120001`, line("four"));
  writeFileSync(log, line("five"));
  expect((await next()) + (await next()) + (await next())).toBe("three\nfour\nfive\n");
  isOver = true;
  tell();
  expect((await reader.next()).done).toBe(true);
});

test.each<[string, (rotated: string) => void, string]>([
  ["it gets a new file", () => writeFileSync(log, line("four")), "four\n"],
  ["it gets its name again", (rotated) => linkSync(rotated, log), ""],
])("a reader that begins in the middle of a rotation reads each line once: %s", async (_, settle, last) => {
  let tell = () => {};
  let isOver = false;
  const state = {
    isOver: () => isOver,
    onChange: (listener: () => void) => {
      tell = listener;
      return () => {};
    },
  };
  const rotated = `${log}.20261123-120000`;
  writeFileSync(rotated, line("one") + line("two"));
  const reader = readLog(log, { follow: true, timestamps: false }, state, scope)[Symbol.asyncIterator]();
  const next = async () => Buffer.from((await reader.next()).value ?? []).toString();
  expect(await next()).toBe("one\ntwo\n");
  // The monitor does not know yet that its file has another name.
  appendFileSync(rotated, line("three"));
  settle(rotated);
  isOver = true;
  tell();
  let rest = "";
  for (let text = await next(); text !== ""; text = await next()) rest += text;
  expect(rest).toBe(`three\n${last}`);
});
