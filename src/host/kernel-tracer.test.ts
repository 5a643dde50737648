import { expect, test } from "vitest";
import { explainErrors } from "./kernel-tracer.ts";

test.each([
  [
    "a limit that doesn't matter",
    "ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK for bpftrace.\nstdin:3:1-9: ERROR: tracepoint not found: sock:sock_send_length\n",
    "tracepoint not found: sock:sock_send_length",
  ],
  ["not installed", "sh: 1: exec: bpftrace: not found\n", "sh: 1: exec: bpftrace: not found"],
  ["nothing to say", "", "bpftrace ended"],
])("%s", (_, text, reason) => {
  expect(explainErrors(text)).toBe(reason);
});
