import { expect, test } from "vitest";
import { fakePod, fakeProcess, fakeSnapshot } from "./fake-snapshot.ts";
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
