import { expect, test } from "vitest";
import type { StoredPod } from "../kube/types.ts";
import { limitsStorage, storageExcess } from "./ephemeral-storage.ts";

const pod = (...limits: (string | undefined)[]) =>
  ({
    spec: {
      containers: limits.map((limit, index) => ({
        name: `c${index}`,
        ...(limit === undefined ? {} : { resources: { limits: { "ephemeral-storage": limit } } }),
      })),
    },
  }) as unknown as StoredPod;
const use = (volumes: number, ...containers: number[]) => ({
  volumes,
  containers: new Map(containers.map((bytes, index) => [`c${index}`, bytes])),
});

test("within the limits nothing happens", () => {
  expect(storageExcess(pod("1Ki", "1Ki"), use(0, 1024, 1024))).toBeUndefined();
  expect(storageExcess(pod(undefined), use(1e12, 1e12))).toBeUndefined();
});

test("one container over its own limit", () => {
  expect(storageExcess(pod("1Ki", "8Ki"), use(0, 1025, 0))).toBe(
    'Container c0 exceeded its local ephemeral storage limit "1Ki". ',
  );
});

test("volumes count for the pod", () => {
  expect(storageExcess(pod("1Ki", "1Ki"), use(2000, 100, 0))).toBe(
    "Pod ephemeral local storage usage exceeds the total limit of containers 2048. ",
  );
});

test("only pods with a limit are looked at", () => {
  expect(limitsStorage(pod("1Ki"))).toBe(true);
  expect(limitsStorage(pod(undefined))).toBe(false);
});
