import { expect, test } from "vitest";
import { fakePod, fakeProcess, fakeSnapshot, fakeUse } from "./fake-snapshot.ts";
import { fileChannels } from "./files.ts";
import { watchedFileChannels } from "./watched-file.ts";

const watcher = fakeProcess("b", 20, [{ kind: "watch", identity: "1:2" }]);
const place = { label: "data:/conf", volume: "data", hostPath: "/host/data/conf", modifiedAt: 0 };
const watched = new Map([["1:2", place]]);

test("a watcher is the reader of a channel whose writer nobody knows", () => {
  expect(watchedFileChannels(fakeSnapshot({ processes: [watcher], watched }))).toMatchObject([
    {
      type: "SharedFile",
      scope: "InterContainer",
      address: "data:/conf",
      endpoints: [{ container: "b", role: "Reader" }],
    },
  ]);
});

test("two watchers are two channels: neither tells the other anything", () => {
  const processes = [watcher, fakeProcess("a", 10, [{ kind: "watch", identity: "1:2" }])];
  const facts = watchedFileChannels(fakeSnapshot({ processes, watched }));
  expect(facts.map(({ endpoints }) => endpoints.length)).toEqual([1, 1]);
});

test("a volume that nobody else mounts, or another file system, is no channel", () => {
  const volumes = fakePod.volumes.map((volume) => ({
    ...volume,
    mounts: volume.mounts.filter(({ container }) => container === "b"),
  }));
  const pod = { ...fakePod, volumes };
  expect(watchedFileChannels(fakeSnapshot({ pod, processes: [watcher], watched }))).toEqual([]);
  expect(watchedFileChannels(fakeSnapshot({ processes: [watcher] }))).toEqual([]);
});

test.each(["data:/conf/app.ini", "data:/conf"])(
  "who writes %s, where somebody watches, is the writer",
  (label) => {
    const fileUses = [fakeUse("a", "write", label, "5:1"), fakeUse("b", "write", label, "5:2")];
    const [fact] = watchedFileChannels(fakeSnapshot({ processes: [watcher], watched, fileUses }));
    expect(fact?.endpoints).toMatchObject([
      { container: "a", role: "Writer" },
      { container: "b", role: "Reader" },
    ]);
    expect(JSON.stringify(fact?.evidence)).not.toContain("not known");
  },
);

test("writing elsewhere in the volume is nothing to the watcher", () => {
  const fileUses = [
    fakeUse("a", "write", "data:/conf/deep/x", "5:1"),
    fakeUse("a", "write", "data:/config", "5:2"),
  ];
  const [fact] = watchedFileChannels(fakeSnapshot({ processes: [watcher], watched, fileUses }));
  expect(fact?.endpoints.map(({ container }) => container)).toEqual(["b"]);
});

test("who watches a file that he reads as well is one end of one channel", () => {
  const fileUses = [fakeUse("a", "write", "data:/conf", "5:1"), fakeUse("b", "read", "data:/conf", "5:1")];
  const facts = fileChannels(fakeSnapshot({ processes: [watcher], watched, fileUses }));
  expect(facts.map(({ address }) => address)).toEqual(["data:/conf"]);
  expect(facts[0]?.evidence.map(({ source }) => source)).toEqual([
    "fanotify",
    "fanotify",
    "/proc/PID/fdinfo",
  ]);
});
