import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startOnTerminal } from "./terminal.ts";

const size = { columns: 80, rows: 24 };

/** Writes until nobody takes more, notes how much that was, and ends. */
const program = `
import os, sys, time
os.set_blocking(1, False)
count = 0
end = time.monotonic() + 1
while time.monotonic() < end:
    try: count += os.write(1, b"x" * 1000)
    except BlockingIOError: time.sleep(0.01)
open(sys.argv[1], "w").write(str(count))
`;

test("a reader that comes late gets all output", async () => {
  const folder = mkdtempSync(join(tmpdir(), "peapod-terminal-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const noted = join(folder, "count");
  const terminal = startOnTerminal("python3", ["-c", program, noted], size);
  await expect.poll(() => terminal.gone.aborted, { timeout: 30_000 }).toBe(true);
  expect(existsSync(`/proc/${terminal.pid}`)).toBe(false);
  // Longer than node-pty waits after the end of the process.
  await sleep(500);
  const chunks: Buffer[] = await Array.fromAsync(terminal.output);
  expect(Buffer.concat(chunks)).toHaveLength(Number(readFileSync(noted, "utf8")));
  expect(await terminal.exited).toBe(0);
});

test("a process in the background does not keep the terminal open", async () => {
  const terminal = startOnTerminal("sh", ["-c", "trap '' HUP; sleep 1000 & echo $!"], size);
  const chunks: Buffer[] = await Array.fromAsync(terminal.output);
  expect(await terminal.exited).toBe(0);
  process.kill(Number(Buffer.concat(chunks).toString()), "SIGKILL");
});
