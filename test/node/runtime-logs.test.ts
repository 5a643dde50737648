import { basename } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withSignal } from "../../src/base/scope.ts";
import { rotatedLogs } from "../../src/runtime/logs/log-files.ts";
import type { LogOptions, RuntimeService } from "../../src/runtime/types.ts";
import { exited, type Fixture, logOf, makeFixture, printed, scope } from "./runtime-fixture.ts";

let fixture: Fixture;
let runtime: RuntimeService;

beforeAll(async () => {
  fixture = await makeFixture();
  runtime = await fixture.newRuntime("crun", { maxBytes: 300_000, maxFiles: 200 });
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function follow(id: string, options: Partial<LogOptions> = {}, signal?: AbortSignal): Promise<string> {
  const record = runtime.getContainer(id);
  if (record === undefined) throw new Error("no container");
  const chunks: Uint8Array[] = [];
  const reading = signal === undefined ? scope : withSignal(scope, signal);
  const all = { follow: true, timestamps: false, ...options };
  for await (const chunk of runtime.readLog(record, all, reading)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("no line is lost while a fast printer's log is rotated and followed", async () => {
  const lines = 100_000;
  const id = await fixture.run(
    runtime,
    `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo line-$i-of-a-fast-printer; done`,
  );
  const followed = follow(id);
  const ended = exited(runtime, id);
  let isOver = false;
  const rotating = (async () => {
    while (!isOver) {
      await runtime.rotateLogs(scope);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const record = await ended;
  isOver = true;
  await rotating;
  const expected = Array.from({ length: lines }, (_, index) => `line-${index + 1}-of-a-fast-printer\n`).join(
    "",
  );
  const parts = rotatedLogs(record.logPath).map((path) => basename(path));
  expect(parts.length).toBeGreaterThan(0);
  expect(parts.filter((path) => path.endsWith(".gz"))).toHaveLength(parts.length - 1);
  expect((await logOf(runtime, id)) === expected, "the whole log").toBe(true);
  expect((await followed) === expected, "the followed log").toBe(true);
  const tail = await logOf(runtime, id, { tailLines: lines - 10 });
  expect(tail === expected.split("\n").slice(10).join("\n"), "a tail that reaches the oldest part").toBe(
    true,
  );
  expect(await logOf(runtime, id, { tailLines: 2 })).toBe(expected.split("\n").slice(-3).join("\n"));
  await runtime.removeContainer(id, scope);
  runtime.removeContainerLog(record);
  expect(rotatedLogs(record.logPath)).toEqual([]);
});

test("follows until the container ends, or until nobody wants to know", async () => {
  const id = await fixture.run(runtime, "echo one; read line; echo $line", { container: { stdin: true } });
  await printed(runtime, id, "one");
  const controller = new AbortController();
  const abandoned = follow(id, {}, controller.signal);
  controller.abort();
  await abandoned;
  const followed = follow(id, { tailLines: 1 });
  await runtime.stopContainer(id, 0, scope);
  expect(await followed).toBe("one\n");
  await runtime.removeContainer(id, scope);
});

test("joins lines that the monitor had to cut, and keeps the streams apart", async () => {
  const id = await fixture.run(
    runtime,
    "head -c 100000 /dev/zero | tr '\\0' x; echo; echo problem >&2; printf end",
  );
  await exited(runtime, id);
  const output = await logOf(runtime, id, { stream: "stdout" });
  expect(output).toBe(`${"x".repeat(100_000)}\nend`);
  expect(await logOf(runtime, id, { stream: "stderr" })).toBe("problem\n");
  expect(await logOf(runtime, id, { stream: "stdout", tailLines: 1 })).toBe("end");
  expect(await logOf(runtime, id, { stream: "stdout", tailLines: 2 })).toBe(output);
  expect(await logOf(runtime, id, { limitBytes: 5, stream: "stdout" })).toBe("xxxxx");
  expect(await logOf(runtime, id, { timestamps: true, stream: "stderr" })).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) problem\n$/,
  );
  expect(await logOf(runtime, id, { sinceTime: Date.now() + 60_000 })).toBe("");
  await runtime.removeContainer(id, scope);
});
