import { expect, test } from "vitest";
import { fakeProcess, fakeSnapshot } from "./fake-snapshot.ts";
import { fifoChannels } from "./fifo.ts";
import type { PodSnapshot } from "./snapshot.ts";

const fifo = { kind: "fifo", identity: "1:2" } as const;
const writer = fakeProcess("a", 10, [{ ...fifo, access: "write", link: "/data/f" }]);
const reader = fakeProcess("b", 20, [{ ...fifo, access: "read", link: "/mnt/f" }]);
const opening = { identity: "1:2", path: "/data/f" };
const file = {
  identity: "1:2",
  kind: "fifo",
  label: "data:/f",
  hostPath: "/host/data/f",
  volume: "data",
  size: 0,
  modifiedAt: 5,
  accessedAt: 5,
} as const;
const waitingReader = {
  waitingOpens: [{ ...opening, path: "/mnt/f", process: reader, access: "read" as const }],
  files: [file],
};
const written = {
  identity: "1:2",
  access: "write",
  container: "a",
  hostPID: 10,
  pid: 1,
  process: "sh",
  at: 0,
} as const;

test.each<[string, Partial<PodSnapshot>, string]>([
  ["open at both ends", { processes: [writer, reader] }, "Writer a /data/f, Reader b /mnt/f; data:/f Open"],
  [
    "a writer that waits",
    { waitingOpens: [{ ...opening, process: writer, access: "write" }] },
    "Writer a /data/f; data:/f Blocked: a waits in open(2) to write: no reader has the FIFO open",
  ],
  [
    "a reader that waits",
    { waitingOpens: [{ ...opening, path: "/mnt/f", process: reader, access: "read" }] },
    "Reader b /mnt/f; data:/f Blocked: b waits in open(2) to read: no writer has the FIFO open",
  ],
  [
    "a reader that waits for the next message",
    { ...waitingReader, fifoUses: [{ ...written, at: -9_000 }] },
    "Writer a /data/f, Reader b /mnt/f; data:/f Open",
  ],
  [
    "a reader whose writer is silent",
    { ...waitingReader, fifoUses: [{ ...written, at: -11_000 }] },
    "Writer a /data/f, Reader b /mnt/f; data:/f Blocked: b waits in open(2) to read: no writer has the FIFO open",
  ],
  [
    "a reader whose writer's container has ended",
    { ...waitingReader, fifoUses: [{ ...written, container: "gone" }] },
    "Writer gone undefined, Reader b /mnt/f; data:/f Blocked: b waits in open(2) to read: no writer has the FIFO open",
  ],
  [
    "opened for an instant",
    {
      fifoUses: [
        { identity: "1:2", access: "read", container: "b", hostPID: 20, pid: 9, process: "cat", at: 0 },
        written,
      ],
      files: [file],
    },
    "Writer a /data/f, Reader b /mnt/f; data:/f Open",
  ],
  [
    "full",
    {
      processes: [{ ...writer, calls: [{ number: process.arch === "arm64" ? 64 : 1, args: [3n] }] }, reader],
    },
    "Writer a /data/f, Reader b /mnt/f; data:/f Blocked: a waits in write(2): the FIFO is full",
  ],
])("%s", (_, parts, expected) => {
  const [fact, ...more] = fifoChannels(fakeSnapshot(parts));
  const ends = fact?.endpoints.map(({ role, container, path }) => `${role} ${container} ${path}`).join(", ");
  expect(`${ends}; ${fact?.address} ${fact?.condition}${fact?.reason ? `: ${fact.reason}` : ""}`).toBe(
    expected,
  );
  expect(more).toEqual([]);
});
