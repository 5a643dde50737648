import { expect, test } from "vitest";
import { fakePod } from "./fake-snapshot.ts";
import { haveFilesInCommon, sharedMounts, sharedVolumes } from "./shared-mounts.ts";
import type { ObservedMount, ObservedPod } from "./types.ts";

const podWith = (...mounts: readonly ObservedMount[]): ObservedPod => ({
  ...fakePod,
  volumes: [{ name: "data", hostPath: "/host/data", mounts }],
});
const a = { container: "a", mountPath: "/data" };
const b = { container: "b", mountPath: "/mnt", subPath: "logs" };

test("a shared volume is one that a second container mounts and somebody may write to", () => {
  const volumesOfA = (...mounts: readonly ObservedMount[]) =>
    sharedVolumes(podWith(...mounts), "a").map(({ name }) => name);
  expect(volumesOfA(a, b)).toEqual(["data"]);
  expect(volumesOfA({ ...a, readOnly: true }, b)).toEqual(["data"]);
  expect(volumesOfA(a)).toEqual([]);
  expect(volumesOfA(a, { ...a, mountPath: "/again" })).toEqual([]);
  expect(volumesOfA(b, { ...b, container: "c" })).toEqual([]);
  expect(volumesOfA({ ...a, readOnly: true }, { ...b, readOnly: true })).toEqual([]);
});

test("each mount leads to the part of the volume that it shows", () => {
  expect(sharedMounts(podWith(a, b), "a")).toEqual([{ mountPath: "/data", source: "/host/data" }]);
  expect(sharedMounts(podWith(a, b), "b")).toEqual([{ mountPath: "/mnt", source: "/host/data/logs" }]);
});

test.each([
  ["/v/one", "/v/one", true],
  ["/v/one", "/v/one/deep", true],
  ["/v/one/deep", "/v/one", true],
  ["/v/one", "/v/one-more", false],
  ["/v/one", "/v/other", false],
])("files of %s in %s: %s", (one, other, expected) => {
  const volume = (hostPath: string) => [{ name: "data", hostPath }];
  expect(haveFilesInCommon(volume(one), volume(other))).toBe(expected);
});
