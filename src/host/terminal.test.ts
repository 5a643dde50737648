import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startOnTerminal } from "./terminal.ts";

const size = { columns: 80, rows: 24 };
/** More than this end takes unread, and no more than the kernel then takes, so that the program ends. */
const bytes = 145_000;
const program = `head -c ${bytes} /dev/zero | tr '\\0' x`;

test("a reader that comes late gets all output", async () => {
  const terminal = startOnTerminal("sh", ["-c", program], size);
  // Longer than node-pty waits after the end of the process.
  await sleep(1_000);
  const chunks: Buffer[] = await Array.fromAsync(terminal.output);
  expect(Buffer.concat(chunks)).toHaveLength(bytes);
  expect(await terminal.exited).toBe(0);
});

test("a process in the background does not keep the terminal open", async () => {
  const terminal = startOnTerminal("sh", ["-c", "trap '' HUP; sleep 1000 & echo $!"], size);
  const chunks: Buffer[] = await Array.fromAsync(terminal.output);
  expect(await terminal.exited).toBe(0);
  process.kill(Number(Buffer.concat(chunks).toString()), "SIGKILL");
});
