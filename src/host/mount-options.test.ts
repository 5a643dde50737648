import { describe, expect, test } from "vitest";
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
