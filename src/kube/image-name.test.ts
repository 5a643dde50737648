import { expect, test } from "vitest";
import { isLatestImage } from "./image-name.ts";

test.each([
  ["busybox", true],
  ["busybox:latest", true],
  ["busybox:1.36", false],
  ["localhost:5000/busybox", true],
  ["localhost:5000/busybox:1", false],
  ["busybox@sha256:00", false],
  ["busybox:latest@sha256:00", true],
])("%s: %s", (image, expected) => {
  expect(isLatestImage(image)).toBe(expected);
});
