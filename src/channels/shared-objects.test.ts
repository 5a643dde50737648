import { describe, expect, test } from "vitest";
import { parseSharedMappings } from "../host/proc.ts";
import { fakePod, fakeProcess, fakeSnapshot } from "./fake-snapshot.ts";
import { posixSharedMemoryChannels } from "./posix-shm.ts";
import { sharedFileChannels } from "./shared-file.ts";
import { messageQueueChannels, sharedMemoryChannels } from "./sysv.ts";
import { pathInContainer, volumePath } from "./volume-paths.ts";

const mapped = (container: string, hostPID: number, line: string) =>
  fakeProcess(container, hostPID, [], { mappings: parseSharedMappings(`${line}\n`) });
const sysv = (rights: string) => `7f0000000000-7f0000001000 ${rights} 00000000 00:01 3      /SYSV00001234`;
const shm = (rights: string, name = "/dev/shm/ring") =>
  `7f0000000000-7f0000002000 ${rights} 00000000 00:2e 5      ${name}`;
const shmFile = {
  identity: "46:5",
  kind: "file",
  hostPath: "",
  volume: undefined,
  size: 8192,
  modifiedAt: 0,
  accessedAt: 0,
} as const;

describe("System V", () => {
  test("who may write is the writer where others may not", () => {
    const processes = [mapped("b", 20, sysv("r--s")), mapped("a", 10, sysv("rw-s"))];
    const sharedMemory = [{ key: 0x1234, id: 3, size: 4000, creator: 10, lastOperator: 20, attached: 2 }];
    expect(sharedMemoryChannels(fakeSnapshot({ processes, sharedMemory }))).toMatchObject([
      {
        address: "key 0x00001234 id 3",
        size: 4000,
        scope: "InterContainer",
        endpoints: [
          { container: "a", role: "Writer" },
          { container: "b", role: "Reader" },
        ],
      },
    ]);
  });

  test("without its table a segment still shows by its mappings", () => {
    const processes = [mapped("a", 10, sysv("rw-s")), mapped("b", 20, sysv("rw-s"))];
    expect(sharedMemoryChannels(fakeSnapshot({ processes }))).toMatchObject([
      {
        size: 4096,
        endpoints: [
          { container: "a", role: "Peer" },
          { container: "b", role: "Peer" },
        ],
      },
    ]);
  });

  test("a creator that detached is still a party", () => {
    const processes = [fakeProcess("a", 10), mapped("b", 20, sysv("rw-s"))];
    const sharedMemory = [{ key: 0x1234, id: 3, size: 4096, creator: 10, lastOperator: 20, attached: 1 }];
    const [fact] = sharedMemoryChannels(fakeSnapshot({ processes, sharedMemory }));
    expect(fact?.endpoints.map(({ container }) => container).sort()).toEqual(["a", "b"]);
  });

  test("a queue leads from its last sender to its last receiver", () => {
    const messageQueues = [
      { key: 1, id: 0, bytes: 10, messages: 1, lastSender: 10, lastReceiver: 20, sentAt: 5, receivedAt: 4 },
    ];
    const processes = [fakeProcess("a", 10), fakeProcess("b", 20)];
    expect(messageQueueChannels(fakeSnapshot({ processes, messageQueues }))).toMatchObject([
      {
        condition: "Open",
        endpoints: [
          { container: "a", role: "Sender" },
          { container: "b", role: "Receiver" },
        ],
      },
    ]);
  });
});

describe("POSIX", () => {
  test("memory by the name that the host sees, whatever the mapping is called", () => {
    const processes = [
      mapped("a", 10, shm("rw-s", "/dev/shm/sem.jFpJdC (deleted)")),
      mapped("b", 20, shm("rw-s", "/dev/shm/sem.gate")),
    ];
    const files = [{ ...shmFile, label: "/sem.gate" }];
    expect(posixSharedMemoryChannels(fakeSnapshot({ processes, files }))).toMatchObject([
      { type: "POSIXSemaphore", address: "/gate", scope: "InterContainer" },
    ]);
  });

  test("one relation, though a process has the file open and mapped", () => {
    const open = { kind: "file", identity: "46:5", link: "/dev/shm/ring", access: "both" } as const;
    const processes = [
      fakeProcess("a", 10, [open], { mappings: parseSharedMappings(`${shm("rw-s")}\n`) }),
      mapped("b", 20, shm("r--s")),
    ];
    const facts = posixSharedMemoryChannels(
      fakeSnapshot({ processes, files: [{ ...shmFile, label: "/ring" }] }),
    );
    expect(facts).toMatchObject([
      {
        address: "/ring",
        size: 8192,
        endpoints: [
          { container: "a", role: "Writer" },
          { container: "b", role: "Reader" },
        ],
      },
    ]);
  });
});

test("a file is shared when two containers have it open and one may write", () => {
  const file = (access: "read" | "write", link: string) => [
    { kind: "file", identity: "9:9", access, link } as const,
  ];
  const processes = [
    fakeProcess("a", 10, file("write", "/data/log")),
    fakeProcess("b", 20, file("read", "/mnt/log")),
  ];
  expect(sharedFileChannels(fakeSnapshot({ processes }))).toMatchObject([
    {
      address: "data:/log",
      endpoints: [
        { container: "a", role: "Writer" },
        { container: "b", role: "Reader" },
      ],
    },
  ]);
  const readers = [
    fakeProcess("a", 10, file("read", "/data/log")),
    fakeProcess("b", 20, file("read", "/mnt/log")),
  ];
  expect(sharedFileChannels(fakeSnapshot({ processes: readers }))).toEqual([]);
});

test("paths in volumes", () => {
  expect(volumePath(fakePod, "a", "/data/x/../y")?.label).toBe("data:/y");
  expect(volumePath(fakePod, "b", "/data/y")).toBeUndefined();
  expect(volumePath(fakePod, "a", "/database")).toBeUndefined();
  expect(pathInContainer(fakePod, "b", "data:/y")).toBe("/mnt/y");
});
