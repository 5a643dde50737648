import { expect, test } from "vitest";
import type { Container, StoredPod, Volume } from "../kube/types.ts";
import { emptyDir, podMemoryLimit } from "./empty-dir.ts";
import { sourceField, volumeTypeOf } from "./registry.ts";

const container = (memory?: string): Container => ({
  name: "c",
  ...(memory === undefined ? {} : { resources: { limits: { memory } } }),
});
const pod = (containers: Container[], initContainers: Container[] = []): StoredPod =>
  ({
    metadata: { name: "p", namespace: "n", uid: "u" },
    spec: { containers, initContainers },
  }) as unknown as StoredPod;

test.each<[string, StoredPod, number | undefined]>([
  ["sum of the containers", pod([container("64Mi"), container("1Ki")]), 64 * 2 ** 20 + 1024],
  ["the largest init container where that is more", pod([container("1Mi")], [container("2Mi")]), 2 * 2 ** 20],
  ["none when one container has none", pod([container("64Mi"), container()]), undefined],
])("memory limit of a pod: %s", (_, given, expected) => {
  expect(podMemoryLimit(given)).toBe(expected);
});

test.each<[Volume, string | undefined, string | undefined]>([
  [{ name: "a", emptyDir: {} }, "emptyDir", "emptyDir"],
  [{ name: "a", hostPath: { path: "/x" } }, "hostPath", "hostPath"],
  [{ name: "a" }, "emptyDir", undefined],
  [{ name: "a", nfs: { server: "s", path: "/" } }, undefined, "nfs"],
])("%j is of type %s", (volume, type, source) => {
  expect(volumeTypeOf(volume)?.field).toBe(type);
  expect(sourceField(volume)).toBe(source);
});

test("a sizeLimit of zero is no limit", () => {
  const limit = (sizeLimit: string) => {
    const volume: Volume = { name: "a", emptyDir: { sizeLimit } };
    return emptyDir.limit({ pod: pod([]), volume, folder: "/nonexistent" });
  };
  expect(limit("0")).toBeUndefined();
  expect(limit("1.5Ki")).toBe(1536);
});
