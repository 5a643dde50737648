import { describe, expect, test } from "vitest";
import { parseMountInfo } from "./mount-info.ts";
import { parseMountOptions } from "./mount-options.ts";

describe("mount options", () => {
  test("words of mount(8) become flags, the rest goes to the file system", () => {
    const parsed = parseMountOptions(["rw", "nosuid", "nodev", "mode=755", "size=64k"]);
    expect(parsed).toEqual({ flags: 2 | 4, propagation: 0, data: "mode=755,size=64k" });
  });

  test("propagation is kept apart from the other flags", () => {
    const parsed = parseMountOptions(["rbind", "ro", "rslave"]);
    expect(parsed).toEqual({ flags: 4096 | 16384 | 1, propagation: (1 << 19) | 16384, data: "" });
  });
});

describe("mountinfo", () => {
  test("reads optional fields of any number and escaped characters", () => {
    const text = [
      "36 35 98:0 /root\\040dir /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue",
      "37 36 0:22 / /proc rw - proc proc rw",
      "",
    ].join("\n");
    const [first, second] = parseMountInfo(text);
    expect(first).toEqual({
      id: 36,
      parentID: 35,
      root: "/root dir",
      target: "/mnt 2",
      options: ["rw", "noatime"],
      type: "ext3",
      source: "/dev/root",
      superOptions: ["rw", "errors=continue"],
    });
    expect(second?.target).toBe("/proc");
  });
});
