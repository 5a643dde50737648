import { expect, test } from "vitest";
import { fakePod, fakeProcess, fakeSnapshot, fakeUse } from "./fake-snapshot.ts";
import { sharedFileChannels } from "./shared-file.ts";
import type { FileUse } from "./snapshot.ts";

const ofUses = (...fileUses: FileUse[]) =>
  sharedFileChannels(fakeSnapshot({ fileUses })).map(({ address, endpoints }) => [
    address,
    ...endpoints.map(({ role, container }) => `${role} ${container}`),
  ]);

test("one container wrote a file, another read it, and both are gone", () => {
  const [fact] = sharedFileChannels(
    fakeSnapshot({
      fileUses: [
        fakeUse("a", "write", "data:/index.html", "1:1", { process: "sh", pid: 7 }),
        fakeUse("b", "read", "data:/index.html", "1:1", { at: 1_000 }),
      ],
    }),
  );
  expect(fact).toMatchObject({
    key: "SharedFile data:/index.html",
    address: "data:/index.html",
    scope: "InterContainer",
    endpoints: [
      { container: "a", role: "Writer", process: "sh", pid: 7, path: "/data/index.html" },
      { container: "b", role: "Reader", hostPID: 99, path: "/mnt/index.html" },
    ],
    evidence: [
      {
        source: "fanotify",
        detail: "a: sh had /data/index.html open to write and closed it, 1970-01-01T00:00:00Z",
      },
      {
        source: "fanotify",
        detail: "b: PID 99 had /mnt/index.html open to read and closed it, 1970-01-01T00:00:01Z",
      },
    ],
  });
});

test.each<[string, FileUse[]]>([
  ["nobody wrote it", [fakeUse("a", "read", "data:/x", "1:1"), fakeUse("b", "read", "data:/x", "1:1")]],
  ["one container alone", [fakeUse("a", "write", "data:/x", "1:1"), fakeUse("a", "read", "data:/x", "1:1")]],
  ["two files, one name", [fakeUse("a", "write", "data:/x", "1:1"), fakeUse("b", "read", "data:/x", "1:2")]],
  [
    "a FIFO is another channel",
    [
      fakeUse("a", "write", "data:/x", "1:1", { kind: "fifo" }),
      fakeUse("b", "read", "data:/x", "1:1", { kind: "fifo" }),
    ],
  ],
])("no channel: %s", (_, uses) => {
  expect(ofUses(...uses)).toEqual([]);
});

test("a file that is written, renamed and read is one channel, also after the next time", () => {
  const replaced = (n: number) => [
    fakeUse("a", "write", "data:/conf.new", `1:${n}`),
    fakeUse("b", "read", "data:/conf", `1:${n}`),
  ];
  const next = fakeUse("a", "write", "data:/conf.new", "1:3");
  const whole = [...replaced(1), ...replaced(2), next];
  for (const uses of [whole, whole.toReversed()]) {
    expect(ofUses(...uses)).toEqual([["data:/conf", "Writer a", "Reader b"]]);
  }
});

test("one has it open to write, the other reads it now and then", () => {
  const held = {
    kind: "file",
    identity: "1:1",
    link: "/data/app.log",
    access: "write",
    position: 5,
  } as const;
  const snapshot = fakeSnapshot({
    processes: [fakeProcess("a", 10, [held])],
    fileUses: [fakeUse("b", "read", "data:/app.log", "1:1")],
  });
  expect(sharedFileChannels(snapshot)).toMatchObject([
    { address: "data:/app.log", endpoints: [{ container: "a" }, { container: "b", role: "Reader" }] },
  ]);
});

test("many files between the same containers are one channel of their folder", () => {
  const files = Array.from({ length: 6 }, (_, n) => [
    fakeUse("a", "write", `data:/site/page${n}/index.html`, `1:${n}`),
    fakeUse("b", "read", `data:/site/page${n}/index.html`, `1:${n}`),
  ]);
  expect(ofUses(...files.flat())).toEqual([["data:/site/*", "Writer a", "Reader b"]]);
  expect(ofUses(...files.slice(1).flat())).toHaveLength(5);
});

test("a mount of a part of the volume has the same names as the whole", () => {
  const [volume] = fakePod.volumes;
  const mounts = [
    { container: "a", mountPath: "/data" },
    { container: "b", mountPath: "/logs", subPath: "var/log" },
  ];
  const pod = { ...fakePod, volumes: volume === undefined ? [] : [{ ...volume, mounts }] };
  const held = { kind: "file", identity: "1:1", link: "/logs/x", access: "read" } as const;
  const snapshot = fakeSnapshot({
    pod,
    processes: [fakeProcess("b", 20, [held])],
    fileUses: [
      fakeUse("a", "write", "data:/var/log/x", "1:1"),
      fakeUse("b", "read", "data:/var/log/x", "1:1"),
    ],
  });
  expect(sharedFileChannels(snapshot)).toMatchObject([
    { address: "data:/var/log/x", endpoints: [{ path: "/data/var/log/x" }, { path: "/logs/x" }] },
  ]);
});
